"""Corruptions do what their line in the table says."""

import io

import numpy as np
import pytest
from PIL import Image

from core import phantom
from training.corruptions import CORRUPTIONS, Corruption, selected

pytestmark = pytest.mark.train

CHEST = phantom.chest(1, 224)
EVERY = pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: f"{corruption.name} {corruption.degree}")


def find(name: str, degree: str) -> Corruption:
    return next(corruption for corruption in CORRUPTIONS if (corruption.name, corruption.degree) == (name, degree))


@EVERY
def test_a_corruption_keeps_the_kind_of_array_and_is_the_same_for_the_same_seed(corruption: Corruption) -> None:
    before = CHEST.copy()
    changed = corruption.apply(CHEST, 7)
    assert changed.shape == CHEST.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, corruption.apply(CHEST, 7))
    assert not np.array_equal(changed, CHEST)
    assert np.array_equal(CHEST, before)


@pytest.mark.parametrize("name", sorted({corruption.name for corruption in CORRUPTIONS}))
def test_a_strong_corruption_changes_more_than_a_moderate_one(name: str) -> None:
    distance = {degree: np.abs(find(name, degree).apply(CHEST, 1).astype(float) - CHEST).mean() for degree in ("moderate", "strong")}
    assert distance["strong"] > distance["moderate"] > 0.0


def test_quick_is_the_moderate_ones_and_all_is_twice_as_many() -> None:
    assert selected("none") == ()
    assert {corruption.degree for corruption in selected("quick")} == {"moderate"}
    assert selected("all") == CORRUPTIONS
    assert len(selected("quick")) * 2 == len(CORRUPTIONS)


def test_exposure_and_contrast_move_grey_by_the_share_they_say() -> None:
    flat = np.full((224, 224), 100, np.uint8)
    assert np.all(find("brighter", "moderate").apply(flat, 0) == round(100 + 0.12 * 255))
    assert np.all(find("darker", "strong").apply(flat, 0) == round(100 - 0.25 * 255))
    assert np.all(find("less contrast", "strong").apply(flat, 0) == round(127.5 - 27.5 * 0.5))
    assert np.all(find("more contrast", "strong").apply(flat, 0) == round(127.5 - 27.5 * 1.8))


def test_noise_has_the_deviation_it_says() -> None:
    grain = find("noise", "moderate").apply(np.full((224, 224), 128, np.uint8), 0).astype(float)
    assert grain.std() == pytest.approx(0.025 * 255, rel=0.05)
    assert grain.mean() == pytest.approx(128, abs=0.2)


def test_crop_keeps_the_middle_of_each_side() -> None:
    ramp = np.tile(np.linspace(0, 255, 224).astype(np.uint8), (224, 1))
    row = find("crop", "strong").apply(ramp, 0)[100].astype(float)
    assert (row[0], row[-1]) == (pytest.approx(0.15 * 255, abs=2), pytest.approx(0.85 * 255, abs=2))


def test_collimation_keeps_the_middle_of_the_width_and_what_lies_above_the_middle() -> None:
    across = np.tile(np.linspace(0, 255, 224).astype(np.uint8), (224, 1))
    row = find("collimation", "strong").apply(across, 0)[100].astype(float)
    column = find("collimation", "strong").apply(across.T.copy(), 0)[:, 100].astype(float)
    assert (row[0], row[-1]) == (pytest.approx(0.19 * 255, abs=2), pytest.approx(0.81 * 255, abs=2))
    assert (column[0], column[-1]) == (pytest.approx(0.152 * 255, abs=2), pytest.approx(0.772 * 255, abs=2))


@pytest.mark.parametrize(("degree", "side", "brighter"), [("moderate", 149, 0.08), ("strong", 112, 0.12)])
def test_another_site_is_collimated_softer_and_brighter(degree: str, side: int, brighter: float) -> None:
    framed = Image.fromarray(find("collimation", degree).apply(CHEST, 0))
    soft = framed.resize((side, side), Image.Resampling.BOX).resize((224, 224), Image.Resampling.BICUBIC)
    expected = np.rint(np.clip(np.asarray(soft) + brighter * 255, 0, 255)).astype(np.uint8)
    assert np.array_equal(find("another site", degree).apply(CHEST, 0), expected)


def test_rotation_turns_half_of_the_pictures_to_either_side() -> None:
    one, other = (find("rotation", "strong").apply(CHEST[:, ::-1] if seed else CHEST, seed) for seed in (0, 1))
    assert np.abs(one.astype(float) - other[:, ::-1]).mean() < 1.0
    expected = np.asarray(Image.fromarray(CHEST).rotate(-15.0, Image.Resampling.BICUBIC))
    assert np.array_equal(one, expected)


def test_resolution_leaves_as_many_pixels_as_it_says() -> None:
    coarse = find("resolution", "strong").apply(CHEST, 0)
    again = Image.fromarray(coarse).resize((56, 56), Image.Resampling.BOX).resize((224, 224), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(again).astype(float) - coarse).mean() < 2.5
    spectrum = [np.abs(np.fft.fft2(grey.astype(float)))[40:184, 40:184].sum() for grey in (coarse, CHEST)]
    assert spectrum[0] < 0.2 * spectrum[1]


def test_jpeg_is_what_a_file_of_that_quality_holds() -> None:
    stream = io.BytesIO()
    Image.fromarray(CHEST).save(stream, "JPEG", quality=10)
    assert np.array_equal(find("JPEG", "strong").apply(CHEST, 0), np.asarray(Image.open(stream)))
