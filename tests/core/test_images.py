"""What can be read, and that it is read right: every lossless way to store a picture gives the very same grey array."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core import images
from tests.support import pictures
from tests.support.pictures import encode, png, tiff

CHEST = pictures.chest()
RGB = np.repeat(CHEST[:, :, np.newaxis], 3, axis=2)
OPAQUE = np.full_like(CHEST, 255)[:, :, np.newaxis]
RGBA, LA = np.concatenate([RGB, OPAQUE], axis=2), np.concatenate([CHEST[:, :, np.newaxis], OPAQUE], axis=2)
HALF = Image.fromarray(CHEST).convert("1")


def widened(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """8 bits to 16 so that 255 becomes 65,535."""
    return pixels.astype(np.uint16) * np.uint16(257)


def grey(mode: str) -> Image.Image:
    return Image.fromarray(CHEST).convert(mode)


LOSSLESS: Mapping[str, bytes] = {
    **{f"png-{mode}": encode(grey(mode), "PNG") for mode in ("L", "LA", "RGB", "RGBA")},
    "png-palette": encode(pictures.palette(), "PNG"),
    "png-rgb-16-bit": png(widened(RGB), 16),
    "png-rgba-16-bit": png(widened(RGBA), 16),
    "png-la-16-bit": png(widened(LA), 16),
    **{f"bmp-{mode}": encode(grey(mode), "BMP") for mode in ("L", "RGB", "RGBA")},
    "bmp-palette": encode(pictures.palette(), "BMP"),
    **{f"tiff-{mode}": encode(grey(mode), "TIFF") for mode in ("L", "LA", "RGB", "RGBA", "CMYK")},
    "tiff-palette": encode(pictures.palette(), "TIFF"),
    **{f"tiff-{name}": encode(CHEST, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits")},
    "tiff-grey-big-endian": tiff(CHEST, ">"),
    "tiff-white-is-zero": tiff(255 - CHEST, "<", white_is_zero=True),
    "tiff-white-is-zero-big-endian": tiff(255 - CHEST, ">", white_is_zero=True),
    "tiff-rgb-big-endian": tiff(RGB, ">"),
    "tiff-rgb-16-bit": tiff(widened(RGB), "<"),
    "tiff-rgb-16-bit-big-endian": tiff(widened(RGB), ">"),
    **{f"webp-{mode}": encode(grey(mode), "WEBP", lossless=True) for mode in ("RGB", "RGBA")},
}
ONE_BIT: Mapping[str, bytes] = {
    "png": encode(HALF, "PNG"),
    "bmp": encode(HALF, "BMP"),
    "tiff": encode(HALF, "TIFF"),
    "tiff-fax": encode(HALF, "TIFF", compression="group4"),
}
SIXTEEN_BIT: Mapping[str, bytes] = {
    "png": png(widened(CHEST), 16),
    "png-by-pillow": encode(widened(CHEST), "PNG"),
    "tiff": tiff(widened(CHEST), "<"),
    "tiff-big-endian": tiff(widened(CHEST), ">"),
    "tiff-compressed": encode(widened(CHEST), "TIFF", compression="tiff_lzw"),
    "tiff-white-is-zero": tiff(widened(255 - CHEST), "<", white_is_zero=True),
}
LOSSY: Mapping[str, bytes] = {
    **{f"jpeg-{mode}": encode(grey(mode), "JPEG", quality=95) for mode in ("L", "RGB", "CMYK")},
    "jpeg-progressive": encode(CHEST, "JPEG", quality=95, progressive=True),
    "jpeg-progressive-rgb": encode(grey("RGB"), "JPEG", quality=95, progressive=True),
    "jpeg-subsampled": encode(grey("RGB"), "JPEG", quality=95, subsampling=2),
    "tiff-jpeg": encode(CHEST, "TIFF", compression="jpeg", quality=95),
    "webp": encode(grey("RGB"), "WEBP", quality=95),
}


def each(table: Mapping[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("data", table.values(), ids=table.keys())


@each(LOSSLESS)
def test_lossless_picture_of_8_bits_comes_out_exactly(data: bytes) -> None:
    picture = images.decode(data)

    assert picture.grey.dtype == np.uint8
    assert np.array_equal(picture.grey, CHEST)
    assert (picture.width_px, picture.height_px) == (pictures.WIDTH_PX, pictures.HEIGHT_PX)
    assert picture.warnings == ()
    assert not picture.reduced


@each(ONE_BIT)
def test_one_bit_picture_comes_out_black_and_white(data: bytes) -> None:
    assert np.array_equal(images.decode(data).grey, np.where(np.asarray(HALF), 255, 0))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_shallow_png_is_spread_over_all_grey_levels(depth: int) -> None:
    levels = CHEST >> (8 - depth)

    assert np.array_equal(images.decode(png(levels, depth)).grey, levels * (255 // (2**depth - 1)))


@each(SIXTEEN_BIT)
def test_16_bit_picture_comes_out_exactly(data: bytes) -> None:
    picture = images.decode(data)

    assert picture.grey.dtype == np.float32
    assert np.allclose(picture.grey, CHEST, rtol=0.0, atol=1e-3)
    assert picture.warnings == ()


@pytest.mark.parametrize("bits", [10, 12, 14, 15])
@pytest.mark.parametrize("store", [lambda pixels: png(pixels, 16), tiff], ids=["png", "tiff"])
def test_detector_that_uses_fewer_than_16_bits_still_fills_the_scale(store: Any, bits: int) -> None:
    top = 2**bits - 1
    pixels = np.round(CHEST / 255.0 * top).astype(np.uint16)

    picture = images.decode(store(pixels))

    assert np.abs(picture.grey - CHEST).max() < 255.0 / top
    assert picture.warnings == ("scaled_by_bits_in_use",)


def test_inverted_picture_of_12_bits_in_16_is_turned_over_within_its_bits() -> None:
    pixels = np.round((255 - CHEST) / 255.0 * 4095).astype(np.uint16)

    assert np.abs(images.decode(tiff(pixels, white_is_zero=True)).grey - CHEST).max() < 0.1


def test_precision_beyond_8_bits_is_kept() -> None:
    ramp = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)

    assert len(np.unique(images.decode(png(ramp, 16)).grey)) == 64 * 64


@pytest.mark.parametrize("bits", [31, 32])
def test_32_bit_tiff_is_scaled_by_the_bits_in_use(bits: int) -> None:
    pixels = np.round(CHEST / 255.0 * (2**bits - 1)).astype(np.uint32)

    assert np.abs(images.decode(tiff(pixels)).grey - CHEST).max() < 0.01


def test_negative_values_count_as_black() -> None:
    pixels = CHEST.astype(np.int16) * 128 - 128

    assert np.abs(images.decode(tiff(pixels)).grey - CHEST).max() < 2.0


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1000.0, 3000.0), (0.0, 255.0)])
def test_float_tiff_is_stretched_over_its_own_range(byte_order: pictures.ByteOrder, low: float, high: float) -> None:
    pixels = (low + CHEST / 255.0 * (high - low)).astype(np.float32)

    picture = images.decode(tiff(pixels, byte_order))

    assert np.abs(picture.grey - CHEST).max() < 0.01
    assert picture.warnings == ("scaled_by_range",)


def test_float_tiff_where_white_is_zero_is_turned_over() -> None:
    pixels = (1.0 - CHEST / 255.0).astype(np.float32)

    assert np.abs(images.decode(tiff(pixels, white_is_zero=True)).grey - CHEST).max() < 0.01


def test_float_tiff_of_the_widest_range_stays_finite() -> None:
    pixels = np.where(CHEST > 100, 3e38, -3e38).astype(np.float32)

    assert np.array_equal(images.decode(tiff(pixels)).grey, np.where(CHEST > 100, 255.0, 0.0))


@pytest.mark.parametrize("data", [tiff(np.full((64, 64), 7.0, np.float32)), png(np.zeros((64, 64), np.uint16), 16)], ids=["tiff", "png"])
def test_deep_picture_of_one_level_is_black(data: bytes) -> None:
    assert not images.decode(data).grey.any()


@each(LOSSY)
def test_lossy_picture_comes_out_nearly(data: bytes) -> None:
    picture = images.decode(data)

    assert np.abs(picture.grey.astype(float) - CHEST).mean() < 2.0
    assert picture.grey.dtype == np.uint8
    assert picture.warnings == ()


@pytest.mark.parametrize(("file_format", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("TIFF", "RGBA"), ("WEBP", "RGBA")])
def test_transparent_parts_show_as_air(file_format: str, mode: Any) -> None:
    image, expected = pictures.translucent(mode)

    picture = images.decode(encode(image, file_format, **({"lossless": True} if file_format == "WEBP" else {})))

    assert np.array_equal(picture.grey, expected)
    assert picture.warnings == ("alpha_flattened",)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (encode(CHEST, "JPEG"), "jpeg"),
        (encode(CHEST, "PNG"), "png"),
        (encode(CHEST, "BMP"), "bmp"),
        (encode(CHEST, "TIFF"), "tiff"),
        (encode(CHEST, "WEBP"), "webp"),
        (pictures.pages("MPO"), "jpeg"),
    ],
    ids=["jpeg", "png", "bmp", "tiff", "webp", "mpo"],
)
def test_answer_names_the_format(data: bytes, name: str) -> None:
    assert images.decode(data).format == name


def test_of_a_telephones_mpo_the_first_picture_is_read() -> None:
    assert np.abs(images.decode(pictures.pages("MPO", quality=95)).grey.astype(float) - pictures.chest(1)).mean() < 2.0


ORIENTABLE: Mapping[str, Any] = {
    "jpeg": lambda image, exif: encode(image, "JPEG", quality=95, exif=exif),
    "png": lambda image, exif: encode(image, "PNG", exif=exif),
    "png-16-bit": lambda image, exif: encode(widened(np.asarray(image)), "PNG", exif=exif),
    "tiff": lambda image, exif: encode(image, "TIFF", exif=exif),
    "tiff-16-bit": lambda image, exif: encode(widened(np.asarray(image)), "TIFF", exif=exif),
    "tiff-float": lambda image, exif: encode(np.asarray(image).astype(np.float32), "TIFF", exif=exif),
    "webp": lambda image, exif: encode(image.convert("RGB"), "WEBP", lossless=True, exif=exif),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("store", ORIENTABLE.values(), ids=ORIENTABLE.keys())
def test_picture_on_its_side_is_put_upright(store: Any, orientation: int) -> None:
    picture = images.decode(store(pictures.lying(orientation), pictures.exif(orientation)))

    assert np.abs(picture.grey.astype(float) - CHEST).mean() < 1.5
    assert (picture.width_px, picture.height_px) == (pictures.WIDTH_PX, pictures.HEIGHT_PX)
    assert ("rotated_by_exif" in picture.warnings) == (orientation != 1)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_orientation_that_does_not_exist_turns_nothing_and_claims_nothing(orientation: int) -> None:
    picture = images.decode(encode(CHEST, "PNG", exif=pictures.exif(orientation)))

    assert np.array_equal(picture.grey, CHEST)
    assert picture.warnings == ()
