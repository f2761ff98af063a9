import msgspec
import numpy as np
import pytest

from core import phantom
from training import augment
from training.augment import SHIFTS, Augmentation

pytestmark = pytest.mark.train

GREY = phantom.chest(3, 96)
NOTHING = Augmentation(
    area_low=1.0, tight_share=0.0, aspect_high=1.0, rotation_deg=0.0, flip_share=0.0, tone_share=0.0, sharpness_share=0.0, jpeg_share=0.0,
    noise_share=0.0,
)  # fmt: skip


def test_no_change_asked_for_is_no_change() -> None:
    assert np.array_equal(augment.vary(GREY, np.random.default_rng(0), NOTHING), GREY)


def test_a_flip_is_the_exact_mirror_picture() -> None:
    mirrored = augment.vary(GREY, np.random.default_rng(0), msgspec.structs.replace(NOTHING, flip_share=1.0))
    assert np.array_equal(mirrored, GREY[:, ::-1])


@pytest.mark.parametrize("seed", range(20))
def test_variations_keep_shape_and_type_and_depend_on_the_seed_alone(seed: int) -> None:
    varied = augment.vary(GREY, np.random.default_rng(seed), Augmentation())
    assert varied.shape == GREY.shape
    assert varied.dtype == np.uint8
    assert not np.array_equal(varied, GREY)
    assert np.array_equal(varied, augment.vary(GREY, np.random.default_rng(seed), Augmentation()))


@pytest.mark.parametrize("name", SHIFTS)
def test_every_shift_is_moderate_and_repeatable(name: str) -> None:
    shifted = augment.shift(GREY, name, 5)
    assert shifted.shape == GREY.shape
    assert shifted.dtype == np.uint8
    assert np.array_equal(shifted, augment.shift(GREY, name, 5))
    assert np.array_equal(shifted, GREY) == (name == "plain")
    assert np.corrcoef(shifted.ravel(), GREY.ravel())[0, 1] > 0.4
