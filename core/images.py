"""Bytes of a picture to a grey array, and the grey array to what the network takes.

`decode` is the border: whatever it returns is a readable single picture of sane size. `preprocess` is the only preprocessing there is;
serving, evaluation, batch and training call it, so they cannot drift apart.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from core import dicom, errors
from core.dicom_file import is_dicom
from core.grey import MIN_SIDE_PX as MIN_SIDE_PX
from core.grey import Grey, check_size, coloured_share, to_grey
from core.manifest import InputContract

FORMATS: Final = ("JPEG", "PNG", "BMP", "TIFF", "WebP", "DICOM")
MAX_PIXELS: Final = 25_000_000  # detectors give 4 to 18 megapixels, film scanners 21; at most 200 MB while decoding, whatever the mode
DRAFT_FACTOR: Final = 2  # JPEG is decoded at no less than this times the network's input

_BY_PILLOW: Final = (*FORMATS[:-1], "GIF")  # GIF only to be refused by its name
_RESAMPLING: Final = {name.lower(): value for name, value in Image.Resampling.__members__.items()}
_ORIENTATION_TAG: Final = 0x0112
_LOADED_FROM_THE_START: Final = (b"\xff\xd8", b"\x89PNG", b"BM")  # JPEG, PNG, BMP
# Formats people send by mistake, by their first bytes, so that the refusal can name them.
_KNOWN_SIGNATURES: Final = (
    (0, b"GIF8", "GIF"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (4, b"jP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\x7fELF", "program"),
)
_TIFF_ORDERS: Final[Mapping[bytes, Literal["little", "big"]]] = {b"II*\x00": "little", b"MM\x00*": "big"}
# What Pillow's decoders raise on bytes that are damaged or made to harm.
_DECODER_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    OverflowError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)


class Picture(NamedTuple):
    """A decoded picture. `width_px` and `height_px` are those of the upright original, also where `grey` was decoded smaller.

    `coloured_share` is the share of its area whose colour differs from that of the whole: 0 for grey and for evenly tinted pictures.
    """

    grey: Grey
    format: str
    width_px: int
    height_px: int
    warnings: tuple[str, ...] = ()
    reduced: bool = False
    coloured_share: float = 0.0


def decode(data: bytes, max_pixels: int = MAX_PIXELS, draft_px: tuple[int, int] | None = None) -> Picture:
    """Decode one picture to grey, upright.

    Args:
        data: JPEG, PNG, BMP, TIFF or WebP; grey, RGB, RGBA, CMYK or palette; 1, 8, 16 or 32 bits. Or DICOM, as docs/dicom.md says.
        max_pixels: larger pictures are refused from their header, before memory is taken for them.
        draft_px: (width, height) that JPEG and JPEG 2000 must keep when decoded at 1/2, 1/4 or 1/8 scale; None decodes in full.

    Returns:
        The picture; `warnings` holds stable codes of what was done to it (see docs/api.md).

    Raises:
        errors.PictureError: one of its leaves, each with its own code.
    """
    if is_dicom(data):
        drawn = dicom.decode(data, max_pixels, draft_px)
        return Picture(drawn.grey, "dicom", drawn.width_px, drawn.height_px, drawn.warnings, drawn.reduced)
    if not data.startswith(_LOADED_FROM_THE_START):
        from PIL import TiffImagePlugin, WebPImagePlugin  # noqa: F401 - else Pillow loads all its forty plugins, which takes 50 ms

    try:
        with Image.open(io.BytesIO(data), formats=_BY_PILLOW) as image:
            return _read(image, max_pixels, draft_px)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise errors.PictureTooLarge(f"Expected a picture of at most {max_pixels:,} pixels. Received: more ({error}).") from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except _DECODER_ERRORS as error:
        if "truncated" in str(error).lower() or isinstance(error, EOFError) or _is_cut_riff(data):
            raise errors.TruncatedPicture(f"Expected a whole picture. Received: {len(data):,} bytes that end too early.") from error
        raise errors.CorruptPicture(f"Expected a readable picture. Received: damaged data ({error}).") from error


def draft_px(contract: InputContract) -> tuple[int, int]:
    """Return the (width, height) that a JPEG must keep for a network with this input; what `decode` takes as `draft_px`."""
    return contract.width_px * DRAFT_FACTOR, contract.height_px * DRAFT_FACTOR


def preprocess(grey: Grey, contract: InputContract) -> npt.NDArray[np.float32]:
    """Turn a grey picture into the network's input: stretch to its size, scale to its range.

    The aspect ratio is not kept: the pictures that the networks learn from were stored that way.

    Args:
        grey: 2-D array (height, width), uint8 or float32, values in [0, 255].
        contract: the `input` block of the manifest.

    Returns:
        float32 array (contract.height_px, contract.width_px, contract.channels), values in [contract.low, contract.high].
    """
    size = (contract.width_px, contract.height_px)
    image = Image.fromarray(grey)
    if image.size != size:
        image = image.resize(size, _RESAMPLING[contract.resample])
    values = np.asarray(image, dtype=np.float32) * np.float32((contract.high - contract.low) / 255.0) + np.float32(contract.low)
    return np.broadcast_to(values[:, :, np.newaxis], (*values.shape, contract.channels))


def _read(image: Image.Image, max_pixels: int, draft_px: tuple[int, int] | None) -> Picture:
    """Check the header, then decode."""
    width, height = image.size
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a telephone's JPEG with a second picture behind it
        raise errors.SeveralFrames(f"Expected one picture. Received: {image.format} with several frames or pages.")
    if image.format == "GIF":
        raise _unsupported("GIF")
    check_size(width, height, max_pixels)
    if draft_px is not None:
        image.draft("YCbCr", draft_px)  # its first channel is what "L" would give; the others tell whether there is colour
    reduced = image.size != (width, height)
    drawn = image.size
    turned = image.getexif().get(_ORIENTATION_TAG) in range(2, 9)
    image.load()  # Pillow turns TIFF upright by itself, here
    ImageOps.exif_transpose(image, in_place=True)
    if image.size != drawn:
        width, height = height, width
    coloured = coloured_share(image)
    grey, warnings = to_grey(image)
    if turned:
        warnings = (*warnings, "rotated_by_exif")
    format_name = "jpeg" if image.format == "MPO" else str(image.format).lower()
    return Picture(grey, format_name, width, height, warnings, reduced, coloured)


def _is_cut_riff(data: bytes) -> bool:
    """Whether a WebP is shorter than its own header says."""
    return data.startswith(b"RIFF") and int.from_bytes(data[4:8], "little") + 8 > len(data)


def _unidentified(data: bytes) -> errors.PictureError:
    known = next((name for offset, signature, name in _KNOWN_SIGNATURES if data[offset : offset + len(signature)] == signature), None)
    if known is not None:
        return _unsupported(known)
    if data[:4] in _TIFF_ORDERS and len(data) > int.from_bytes(data[4:8], _TIFF_ORDERS[data[:4]]) + 2:
        return _unsupported("a kind of TIFF that is not read")
    # A known beginning that Pillow still does not recognise: cut off within the header.
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"II*\x00", b"MM\x00*")):
        return errors.TruncatedPicture(f"Expected a whole picture. Received: {len(data):,} bytes that end within the header.")
    kind = "text" if data.isascii() and b"\0" not in data else "something else"
    return errors.NotAPicture(f"Expected a picture ({', '.join(FORMATS)}). Received: {len(data):,} bytes of {kind}.")


def _unsupported(name: str) -> errors.UnsupportedFormat:
    return errors.UnsupportedFormat(f"Expected {', '.join(FORMATS)}. Received: {name}.")
