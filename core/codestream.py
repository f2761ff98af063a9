"""The pixel data of a DICOM file to stored values: plain, RLE, and the JPEG family. Called by `core.dicom`.

What a compressed stream says of its own size is held against the header before any decoder sees it: a small stream can claim to be a huge
picture, and libjpeg does not come back from some that do. JPEG of 8 bits and JPEG 2000 go through Pillow; pylibjpeg-libjpeg, which is GPL-3
and may be missing, reads the rest: JPEG of 12 bits, lossless JPEG and JPEG-LS.
"""

import io
import struct
from typing import Final, Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from core import dicom_errors, errors
from core.tones import Samples, Stored

_FRAMES: Final = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}  # JPEG's markers that begin a picture; F7 is JPEG-LS
_PILLOW_FRAMES: Final = (0xC0, 0xC1, 0xC2)
_J2K_START: Final = b"\xff\x4f\xff\x51"
_MOST_REDUCED: Final = 3  # 1/8, as with JPEG
_ITEM: Final = (0xFFFE, 0xE000)
_END: Final = (0xFFFE, 0xE0DD)
_RLE_HEADER: Final = struct.Struct("<16I")


class Layout(NamedTuple):
    """What the header says of the pixels."""

    rows: int
    columns: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool


class Stream(NamedTuple):
    """What a compressed stream says of itself. `marker` is JPEG's, 0 for JPEG 2000; `levels` how often this was halved."""

    width: int
    height: int
    components: int
    precision: int
    marker: int = 0
    signed: bool = False
    levels: int = 0


def plain(data: memoryview, layout: Layout, order: Literal["<", ">"], words: bool) -> Samples:
    """Return the pixels of uncompressed data, without a copy where the order of bytes allows.

    Args:
        data: the value of the element.
        layout: what the header says.
        order: "<" little endian, ">" big endian.
        words: whether the element's type is a word: bytes then come in swapped pairs in big endian.

    Raises:
        errors.TruncatedPicture: there are fewer bytes than the header says.
    """
    count = layout.rows * layout.columns
    size = count * layout.allocated // 8
    if len(data) < size:
        raise errors.TruncatedPicture(f"Expected {size:,} bytes of pixels. Received: {len(data):,}.")
    pixels: Stored
    if layout.allocated == 16:
        pixels = cast(Stored, np.frombuffer(data, dtype=f"{order}u2", count=count).astype(np.uint16, copy=False))
    elif order == ">" and words:
        even = size + size % 2
        pixels = np.frombuffer(data[:even].tobytes().ljust(even, b"\0"), dtype=np.uint16).byteswap().view(np.uint8)[:count]
    else:
        pixels = np.frombuffer(data, dtype=np.uint8, count=count)
    return _as_stored(pixels.reshape(layout.rows, layout.columns), layout)


def encapsulated(data: memoryview) -> bytes:
    """Return the one frame that lies in items: their bytes, less the table of offsets that is the first.

    Raises:
        errors.TruncatedPicture: the items end too early.
        errors.CorruptPicture: they are none.
    """
    items: list[memoryview] = []
    at = 0
    while True:
        if at + 8 > len(data):
            raise errors.TruncatedPicture("Expected pixel data with its end. Received: data that end too early.")
        group, element, length = struct.unpack_from("<HHI", data, at)
        at += 8
        if (group, element) == _END:
            return b"".join(items[1:])
        if (group, element) != _ITEM:
            raise errors.CorruptPicture("Expected pixel data in items. Received: something else.")
        if length > len(data) - at:
            raise errors.TruncatedPicture("Expected whole items of pixel data. Received: data that end too early.")
        items.append(data[at : at + length])
        at += length


def run_length(frame: bytes, layout: Layout) -> Samples:
    """Return the pixels of RLE Lossless (PS3.5 annex G): a segment a byte of the pixel, the highest first.

    Raises:
        errors.TruncatedPicture, errors.CorruptPicture: the segments do not hold the picture.
    """
    if len(frame) < _RLE_HEADER.size:
        raise errors.TruncatedPicture("Expected the header of RLE data. Received: data that end too early.")
    segments, *offsets = _RLE_HEADER.unpack_from(frame)
    if segments != layout.allocated // 8:
        raise errors.CorruptPicture(f"Expected {layout.allocated // 8} segments of RLE data. Received: another number.")
    ends = [*offsets[1:segments], len(frame)]
    planes = [_unpacked(frame[start:end], layout) for start, end in zip(offsets, ends, strict=False)]
    pixels: Stored = planes[0]
    if len(planes) == 2:
        pixels = np.stack(planes[::-1], axis=-1).view("<u2")[:, :, 0].astype(np.uint16, copy=False)
    return _as_stored(pixels, layout)


def _unpacked(segment: bytes, layout: Layout) -> npt.NDArray[np.uint8]:
    """Unpack one segment to a byte a pixel, and never more.

    A run ends with its row; Pillow, which is forty times as fast, holds writers to that, and some do not keep it.
    """
    try:
        return np.asarray(Image.frombytes("L", (layout.columns, layout.rows), segment, "packbits", "L"))
    except ValueError:
        return _unpacked_across_rows(segment, layout.rows * layout.columns).reshape(layout.rows, layout.columns)


def _unpacked_across_rows(segment: bytes, count: int) -> npt.NDArray[np.uint8]:
    unpacked = bytearray(count)
    at = done = 0
    while done < count and at < len(segment):
        head = segment[at]
        if head == 128:
            at += 1
            continue
        length = min(head + 1 if head < 128 else 257 - head, count - done)
        run = segment[at + 1 : at + 1 + length] if head < 128 else segment[at + 1 : at + 2] * length
        if len(run) < length:
            break
        unpacked[done : done + length] = run
        done += length
        at += head + 2 if head < 128 else 2
    if done < count:
        raise errors.TruncatedPicture("Expected a whole segment of RLE data. Received: one that ends too early.")
    return np.frombuffer(unpacked, dtype=np.uint8)


def compressed(frame: bytes, layout: Layout, draft_px: tuple[int, int] | None) -> Samples:
    """Return the pixels of a stream of the JPEG family; of JPEG 2000 at a fraction of its size if `draft_px` (width, height) allows.

    Raises:
        dicom_errors.ColourPicture: it has several components.
        errors.CorruptPicture, errors.TruncatedPicture: it is damaged, or another size than the header says.
        dicom_errors.DicomSupportMissing: it takes pylibjpeg-libjpeg, and that is not installed.
    """
    start = frame.find(_J2K_START, 0, 1024)
    stream = _read_j2k(frame[start:]) if start >= 0 and frame[:2] != b"\xff\xd8" else _read_jpeg(frame)
    if stream.components != 1:
        raise dicom_errors.ColourPicture("Expected a grey picture. Received: several colour components.")
    if (stream.width, stream.height) != (layout.columns, layout.rows) or not 1 <= stream.precision <= 16:
        raise errors.CorruptPicture("Expected pixel data of the size that the header says. Received: another size.")
    if not stream.marker:
        return _with_pillow(frame[start:], "JPEG2000", stream, layout, draft_px)
    if stream.marker in _PILLOW_FRAMES and stream.precision == 8:
        return _with_pillow(frame, "JPEG", stream, layout, None)
    return _with_libjpeg(frame, stream, layout)


def _with_pillow(frame: bytes, name: str, stream: Stream, layout: Layout, draft_px: tuple[int, int] | None) -> Samples:
    from PIL import Jpeg2KImagePlugin  # noqa: F401 - else Pillow loads all its plugins to find it

    with Image.open(io.BytesIO(frame), formats=(name,)) as image:
        if draft_px is not None and name == "JPEG2000":
            image.reduce = _halvings(stream, draft_px)  # type: ignore[method-assign, assignment]
        pixels = cast(Stored, np.asarray(image))
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16):
        raise errors.CorruptPicture("Expected grey pixels. Received: another kind.")
    if name == "JPEG":
        return Samples(pixels, bits=min(layout.stored, 8), signed=layout.signed)
    # Pillow puts the values of JPEG 2000 at the top of 8 or 16 bits, and adds to signed ones what makes them positive.
    offset = 1 << (stream.precision - 1) if stream.signed else 0
    bits, shift = min(layout.stored, stream.precision), 8 * pixels.itemsize - stream.precision
    return Samples(pixels, bits, layout.signed, shift, offset)


def _halvings(stream: Stream, draft_px: tuple[int, int]) -> int:
    """Return how often JPEG 2000 may be halved, so that both sides stay long enough.

    Twice as long as with JPEG: a wavelet's low band lies beside the middle of its pixels, which moved one of 48 probabilities by 0.028.
    OpenJPEG rounds sides up and Pillow to the nearest: where they disagree, Pillow fails.
    """

    def fits(halved: int, side: int, least: int) -> bool:
        up = -(-side >> halved)
        return up >= 2 * least and up == (side + (1 << halved >> 1)) >> halved

    sides = ((stream.width, draft_px[0]), (stream.height, draft_px[1]))
    possible = range(min(stream.levels, _MOST_REDUCED), 0, -1)
    return next((halved for halved in possible if all(fits(halved, *side) for side in sides)), 0)


def _with_libjpeg(frame: bytes, stream: Stream, layout: Layout) -> Samples:
    try:
        from libjpeg.utils import decode
    except ImportError as error:
        raise dicom_errors.DicomSupportMissing(
            "Expected the package pylibjpeg-libjpeg, which reads JPEG of 12 bits, lossless JPEG and JPEG-LS (the extra `dicom` has it). "
            "Received: an installation without it."
        ) from error
    pixels = decode(frame)
    if pixels.shape != (stream.height, stream.width) or pixels.dtype not in (np.uint8, np.uint16):
        raise errors.CorruptPicture("Expected grey pixels of the size that the header says. Received: others.")
    return Samples(pixels, bits=min(layout.stored, stream.precision), signed=layout.signed)


def _as_stored(pixels: Stored, layout: Layout) -> Samples:
    return Samples(pixels, layout.stored, layout.signed, shift=layout.high_bit + 1 - layout.stored)


def _read_jpeg(frame: bytes) -> Stream:
    """Return what stands in the first frame header of JPEG or JPEG-LS."""
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # filled up
            at += 1
            continue
        if marker in _FRAMES:
            precision, height, width, components = struct.unpack_from(">BHHB", frame, at + 4)
            return Stream(width, height, components, precision, marker)
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise errors.CorruptPicture("Expected a JPEG, JPEG-LS or JPEG 2000 stream. Received: none that can be recognised.")


def _read_j2k(frame: bytes) -> Stream:
    """Return what stands in the SIZ and COD segments of JPEG 2000 (ISO 15444-1 annex A)."""
    right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
    components, depth = struct.unpack_from(">HB", frame, 40)
    levels, at = 0, 2
    while at + 10 <= len(frame) and frame[at] == 0xFF and frame[at + 1] not in (0x90, 0x93):  # up to the first tile
        if frame[at + 1] == 0x52:
            levels = frame[at + 9]
            break
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return Stream(right - left, bottom - top, components, (depth & 0x7F) + 1, signed=depth > 0x7F, levels=levels)
