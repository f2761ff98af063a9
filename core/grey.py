"""Whatever Pillow decodes, of any mode and depth, to a grey array. Called by `core.images`; `core.dicom` has pixels of its own."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from core import errors

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
"""2-D array (height, width), values in [0, 255], 0 black: uint8 from sources of 8 bits, float32 from deeper ones."""

MIN_SIDE_PX: Final = 32  # below this no lung field can be told from noise

_PHOTOMETRIC_INTERPRETATION: Final = 262  # a TIFF tag; 0 is WhiteIsZero
_SAMPLE_FORMAT: Final = 339  # a TIFF tag; 1 is unsigned


_LOOKED_AT_PX: Final = 64
_COLOURED_FROM: Final = 12  # levels of chroma away from the picture's own median: a tint and JPEG's noise stay below


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture by the size that its header claims, before memory is taken for it.

    Raises:
        errors.PictureTooLarge, errors.PictureTooSmall: each with both sizes.
    """
    if width * height > max_pixels:
        raise errors.PictureTooLarge(f"Expected a picture of at most {max_pixels:,} pixels. Received: {width:,} × {height:,}.")
    if min(width, height) < MIN_SIDE_PX:
        raise errors.PictureTooSmall(f"Expected a picture of at least {MIN_SIDE_PX} pixels a side. Received: {width} × {height}.")


def coloured_share(image: Image.Image) -> float:
    """Return the share of a picture's area whose colour is another than that of the whole, in [0, 1]; an even tint is none."""
    if image.mode not in ("RGB", "YCbCr", "RGBA", "P", "PA", "CMYK"):
        return 0.0
    if image.mode == "P" and image.palette is not None and image.palette.mode == "RGB":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    size = (min(_LOOKED_AT_PX, image.width), min(_LOOKED_AT_PX, image.height))
    small = image.resize(size, Image.Resampling.BOX, reducing_gap=1.0)
    if small.mode != "YCbCr":
        small = small.convert("RGB").convert("YCbCr")
    chroma = np.asarray(small)[:, :, 1:].astype(np.int16)
    away = np.abs(chroma - np.median(chroma, axis=(0, 1))).max(axis=2)
    return float(np.mean(away > _COLOURED_FROM))


def to_grey(image: Image.Image) -> tuple[Grey, tuple[str, ...]]:
    """Return the picture in grey, and the codes of what that took."""
    if image.mode.startswith("I"):
        return _from_whole_numbers(image)
    if image.mode == "F":
        return _from_fractions(image)
    if image.has_transparency_data:
        if "A" not in image.getbands():  # a transparent colour of a palette or of grey
            image = image.convert("RGBA")
        alpha = image.getchannel("A")
        if alpha.getextrema() != (255, 255):
            # Over black: what is transparent shows as air, not as bone.
            black = Image.new("L", image.size)
            black.paste(image.convert("L"), mask=alpha)
            return np.asarray(black), ("alpha_flattened",)
    if image.mode == "YCbCr":
        return np.asarray(image.getchannel(0)), ()
    return np.asarray(image if image.mode == "L" else image.convert("L")), ()


def _from_whole_numbers(image: Image.Image) -> tuple[Grey, tuple[str, ...]]:
    """16 or 32 bits to [0, 255]. Detectors give 10 to 15 bits in a container of 16: the bits in use set the scale."""
    numbers = np.asarray(image)
    if numbers.dtype == np.int32 and _tiff_tag(image, _SAMPLE_FORMAT) == (1,):  # unsigned, which Pillow has no mode for
        numbers = numbers.view(np.uint32)
    bits = max(8, int(numbers.max()).bit_length())
    values = numbers.astype(np.float32)
    values *= np.float32(255.0 / (2**bits - 1))  # in place: these are the largest arrays there are
    np.clip(values, 0.0, 255.0, out=values)
    return _turned_over(values, image), (() if bits == 16 else ("scaled_by_bits_in_use",))


def _from_fractions(image: Image.Image) -> tuple[Grey, tuple[str, ...]]:
    """Floating-point TIFF has no agreed range: stretch its own to [0, 255]."""
    values = np.array(image, dtype=np.float32)
    if not np.isfinite(values).all():
        raise errors.CorruptPicture("Expected finite grey values. Received: infinite values or NaN.")
    values *= np.float32(0.5)  # exact, and the difference of the two ends of float32 does not overflow
    low, high = float(values.min()), float(values.max())
    values -= np.float32(low)
    values *= np.float32(255.0 / max(high - low, 1e-12))
    np.clip(values, 0.0, 255.0, out=values)
    return _turned_over(values, image), ("scaled_by_range",)


def _turned_over(values: npt.NDArray[np.float32], image: Image.Image) -> npt.NDArray[np.float32]:
    """Pillow turns WhiteIsZero over for 8 bits only."""
    if _tiff_tag(image, _PHOTOMETRIC_INTERPRETATION) == 0:
        np.subtract(np.float32(255.0), values, out=values)
    return values


def _tiff_tag(image: Image.Image, tag: int) -> object:
    return getattr(image, "tag_v2", {}).get(tag) if image.format == "TIFF" else None
