"""Decoding a JPEG at a fraction of its size: faster, and near enough."""

import numpy as np
import pytest
from PIL import Image

from core import images, phantom
from core.manifest import InputContract
from tests.support import pictures
from tests.support.pictures import encode

INPUT = InputContract(height_px=224, width_px=224, channels=1, low=0.0, high=255.0, resample="bilinear", draft_margin=0.0)
DRAFT_PX = (448, 448)


@pytest.fixture(scope="module")
def large() -> Image.Image:
    return Image.fromarray(phantom.chest(3, 1200)[:, :1000])


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_reduced_decoding_moves_the_networks_input_by_less_than_a_grey_level(large: Image.Image, mode: str, progressive: bool) -> None:
    data = encode(large.convert(mode), "JPEG", quality=92, progressive=progressive)

    full, reduced = images.decode(data), images.decode(data, draft_px=DRAFT_PX)

    assert (full.reduced, reduced.reduced) == (False, True)
    assert full.grey.shape == (1200, 1000)
    assert reduced.grey.shape == (600, 500)
    difference = np.abs(images.preprocess(full.grey, INPUT) - images.preprocess(reduced.grey, INPUT))
    assert difference.mean() < 1.0
    assert difference.max() < 16.0


def test_reduced_picture_still_tells_the_size_of_the_original(large: Image.Image) -> None:
    picture = images.decode(encode(large, "JPEG"), draft_px=DRAFT_PX)

    assert (picture.width_px, picture.height_px) == (1000, 1200)


def test_reduced_picture_on_its_side_is_put_upright_too(large: Image.Image) -> None:
    lying = large.transpose(Image.Transpose.ROTATE_90)

    picture = images.decode(encode(lying, "JPEG", exif=pictures.exif(6)), draft_px=DRAFT_PX)

    assert picture.grey.shape == (600, 500)
    assert (picture.width_px, picture.height_px) == (1000, 1200)
    upright = images.decode(encode(large, "JPEG"), draft_px=DRAFT_PX)
    assert np.abs(picture.grey.astype(float) - upright.grey).mean() < 1.0


@pytest.mark.parametrize("side_px", [448, 700, 895])
def test_picture_below_twice_the_wanted_size_is_decoded_in_full(side_px: int) -> None:
    picture = images.decode(encode(phantom.chest(1, side_px), "JPEG"), draft_px=DRAFT_PX)

    assert not picture.reduced
    assert picture.grey.shape == (side_px, side_px)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_only_jpeg_is_decoded_reduced(large: Image.Image, file_format: str) -> None:
    assert not images.decode(encode(large, file_format), draft_px=DRAFT_PX).reduced
