"""The synthetic chest: the same pixels on every machine, since packages carry their digests."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from core import phantom

DIGESTS = {
    (0, 512): "7dbf3ab83d67567b77bd9b2f020144fcee32ff7b1ae3b7648b630f552027e011",
    (7, 224): "ef73a2bc8dc378914ea55681bb10ce70f55641337fe8d4b99e971d385855e851",
}


@pytest.mark.parametrize(("seed", "side_px"), DIGESTS)
def test_pixels_are_the_same_on_every_machine(seed: int, side_px: int) -> None:
    assert hashlib.sha256(phantom.chest(seed, side_px).tobytes()).hexdigest() == DIGESTS[seed, side_px]


@pytest.mark.parametrize("side_px", [32, 64, 224, 511])
def test_chest_is_a_grey_square_of_the_wanted_size(side_px: int) -> None:
    chest = phantom.chest(1, side_px)

    assert chest.shape == (side_px, side_px)
    assert chest.dtype == np.uint8
    assert chest.max() - chest.min() > 100


def test_lungs_are_darker_than_spine_and_flank_and_outside_is_air() -> None:
    chest = phantom.chest(0, 512).astype(float)

    lung, spine, air = chest[200:260, 130:170].mean(), chest[300:360, 245:265].mean(), chest[:20, :20].mean()
    assert air < 20.0 < lung < spine
    assert spine - lung > 60.0


def test_seeds_draw_different_chests() -> None:
    drawn = {phantom.chest(seed, 64).tobytes() for seed in range(20)}

    assert len(drawn) == 20


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_unusual_seed_is_drawn_too(seed: int) -> None:
    assert phantom.chest(seed, 64).shape == (64, 64)


def test_opacity_brightens_its_place_and_leaves_the_rest() -> None:
    plain = phantom.chest(4, 200).astype(float)
    planted = phantom.chest(4, 200, (phantom.Opacity(x=0.3, y=0.5, radius=0.08),)).astype(float)

    assert planted[95:105, 55:65].mean() - plain[95:105, 55:65].mean() > 50.0
    assert np.array_equal(planted[:, 120:], plain[:, 120:])


def test_sample_is_a_jpeg_of_the_chest() -> None:
    with Image.open(io.BytesIO(phantom.jpeg(2))) as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(float) - phantom.chest(2)).mean() < 3.0
