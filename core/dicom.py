"""Bytes of a DICOM file to a grey array. Called by `core.images.decode`; pydicom comes in with the first file.

Of the header only the elements that `core.elements` lists are read: no name, no identifier. What pydicom says of a file, in warnings or in
its log, is silenced, since it quotes. docs/dicom.md says what is read, what is refused and what never leaves.
"""

import io
import logging
import re
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from core import attributes, codestream, dicom_errors, elements, errors, radiograph, tones
from core.codestream import Layout
from core.grey import Grey, check_size
from core.tones import Samples

if TYPE_CHECKING:
    from pydicom import Dataset

Order = Literal["<", ">"]

_PREAMBLE_BYTES: Final = 128
_PIXELS: Final = 0x7FE00010
_FLOAT_PIXELS: Final = (0x7FE00008, 0x7FE00009)
_LONG: Final = (b"OB", b"OW", b"UN", b"OD", b"OF", b"OL", b"OV")  # types whose length takes four bytes
_TYPE: Final = re.compile(rb"[A-Z]{2}")
_UNDEFINED: Final = 0xFFFFFFFF
_HEADER_BYTES: Final = 64 * 2**20  # of all that is not pixels, once a deflated file is inflated
_SYNTAX: Final = "1.2.840.10008.1.2"
_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN, _RLE = (_SYNTAX + end for end in ("", ".1", ".1.99", ".2", ".5"))
_PLAIN: Final = (_IMPLICIT, _EXPLICIT, _DEFLATED, _BIG_ENDIAN)
# JPEG baseline, extended, lossless, lossless SV1; JPEG-LS, near-lossless; JPEG 2000, lossy; HTJ2K, RPCL, lossy.
_COMPRESSED: Final = frozenset(f"{_SYNTAX}.4.{end}" for end in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203))
_GREY: Final = ("MONOCHROME1", "MONOCHROME2", "")
_COLOUR: Final = re.compile(r"RGB|ARGB|HSV|CMYK|YBR_\w+|PALETTE COLOR|XYB")
_DECODER_ERRORS: Final = (ArithmeticError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error)
_SILENT: Final = ("ignore", None, Warning, re.compile("pydicom"), 0)
_LOGGERS: Final = ("pydicom", "pylibjpeg", "libjpeg")


_MOST_READS: Final = 100_000  # of the header: a chest's takes some hundred, and pydicom does about 100,000 a second


class _Stream(io.BytesIO):
    """A file that gives up on headers made of millions of elements."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return some bytes.

        Raises:
            errors.CorruptPicture: too often asked.
        """
        self.reads += 1
        if self.reads > _MOST_READS:
            raise errors.CorruptPicture("Expected a DICOM header of some hundred elements. Received: far more.")
        return super().read(size)


class Rendered(NamedTuple):
    """A picture as `core.images.Picture` has it."""

    grey: Grey
    width_px: int
    height_px: int
    warnings: tuple[str, ...]
    reduced: bool


class _File(NamedTuple):
    """A parsed header, and what lies behind it: the value of the pixel data, None where there is none."""

    dataset: "Dataset"
    syntax: str
    pixels: memoryview | None
    items: bool = False
    words: bool = True
    order: Order = "<"
    cut: bool = False


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file, or begin as a data set does that was stored without preamble and file meta information."""
    if _has_preamble(data):
        return True
    # The first element of file meta or of the identifying group, in any byte order; then a type, or a length that fits.
    little = data[:1] in (b"\x02", b"\x08") and data[1:2] == b"\0" and data[3:4] == b"\0"
    big = data[:3] in (b"\0\x02\0", b"\0\x08\0")
    length = int.from_bytes(data[4:8], "little")
    return (little and (_TYPE.fullmatch(data[4:6]) is not None or 0 < length <= len(data) - 8)) or (
        big and _TYPE.fullmatch(data[4:6]) is not None
    )


def decode(data: bytes, max_pixels: int, draft_px: tuple[int, int] | None) -> Rendered:
    """Decode one frontal chest radiograph to grey, as its header says that it is to be shown.

    Args:
        data: a DICOM file, with or without preamble.
        max_pixels: larger pictures are refused from their header.
        draft_px: (width, height) that JPEG 2000 must keep when it is decoded at 1/2, 1/4 or 1/8 scale; None decodes in full.

    Raises:
        errors.PictureError: one of its leaves, each with its own code.
    """
    _quieten()
    try:
        file = _read(data, max_pixels)
    except errors.PictureError:
        raise
    except Exception as error:  # pydicom's errors have no base in common, and it meets what anybody sends
        raise _unreadable(data) from error
    if attributes.is_empty(file.dataset):
        raise _unreadable(data, file.cut)
    try:
        codes = radiograph.check(attributes.subject(file.dataset))
        layout = _check_picture(file, max_pixels)
        samples = _samples(file, layout, draft_px)
        grey, more = tones.render(samples, attributes.tones(file.dataset, layout))
        uneven = () if attributes.shape(file.dataset).square else ("pixels_not_square",)
    except _DECODER_ERRORS as error:
        raise errors.CorruptPicture("Expected a readable DICOM file. Received: damaged data.") from error
    return Rendered(grey, layout.columns, layout.rows, (*codes, *uneven, *more), reduced=grey.shape != (layout.rows, layout.columns))


def _has_preamble(data: bytes) -> bool:
    return data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM"


def _quieten() -> None:
    """Import pydicom, and let nothing out of it: its warnings and its log quote values of the header.

    `warnings.catch_warnings` is no way for threads, which share one list of filters: so a filter is put there, and put back if it is gone.
    """
    try:
        import pydicom.config
    except ImportError as error:
        raise dicom_errors.DicomSupportMissing(
            "Expected the extra `dicom` (pip install 'pneumonia-functions[dicom]'). Received: DICOM, and an installation without it."
        ) from error
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if _SILENT not in warnings.filters:
        warnings.filterwarnings("ignore", module="pydicom")
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True


def _read(data: bytes, max_pixels: int) -> _File:
    """Parse the header up to the pixel data."""
    from pydicom.filereader import read_dataset

    stream = _Stream(data)
    if _has_preamble(data):
        stream.seek(_PREAMBLE_BYTES + 4)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _type, _length: tag >> 16 != 2, specific_tags=[0x00020010])
    syntax = str(meta[0x00020010].value or "") if 0x00020010 in meta else ""
    if syntax == _DEFLATED:
        data = _inflated(data[stream.tell() :], max_pixels)
        stream = _Stream(data)
    start = stream.tell()
    syntax = syntax or _guessed(data[start : start + 6])
    dataset = read_dataset(
        stream,
        syntax == _IMPLICIT,
        syntax != _BIG_ENDIAN,
        stop_when=lambda tag, _type, _length: tag >= min(_FLOAT_PIXELS),
        specific_tags=list(elements.TAGS.values()),
    )
    implicit, little = dataset.original_encoding
    return _find_pixels(memoryview(data), stream.tell(), _File(dataset, syntax, None, order="<" if little else ">"), implicit is True)


def _guessed(beginning: bytes) -> str:
    """Return the transfer syntax of a data set that does not say: PS3.10 wants implicit little endian, and some writers do otherwise."""
    if not _TYPE.fullmatch(beginning[4:6]):
        return _IMPLICIT
    return _BIG_ENDIAN if beginning[:1] == b"\0" else _EXPLICIT


def _inflated(deflated: bytes, max_pixels: int) -> bytes:
    """Inflate, but no more than a picture can have."""
    limit = 2 * max_pixels + _HEADER_BYTES
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(deflated, limit)
    if inflater.unconsumed_tail:
        raise errors.PictureTooLarge(f"Expected at most {limit:,} bytes once inflated. Received: more.")
    if not inflater.eof:
        raise errors.TruncatedPicture("Expected a whole deflated file. Received: one that ends too early.")
    return data


def _find_pixels(data: memoryview, at: int, file: _File, implicit: bool) -> _File:
    """Add the value of the pixel data, which begins at an offset unless the file ends there."""
    head = data[at : at + 12].tobytes()
    order: Literal["little", "big"] = "little" if file.order == "<" else "big"
    group, element = (int.from_bytes(head[start : start + 2], order) for start in (0, 2))
    if len(head) < 8 or (group << 16 | element) != _PIXELS:
        return file._replace(cut=at > len(data) or 0 < len(head) < 8)
    long = not implicit and head[4:6] in _LONG
    starts, ends = (4, 8) if implicit else (8, 12) if long else (6, 8)
    length = int.from_bytes(head[starts:ends], order)
    undefined = length == _UNDEFINED
    value = data[at + ends :] if undefined else data[at + ends : at + ends + length]
    return file._replace(pixels=value, items=undefined, words=implicit or head[4:6] == b"OW", cut=not undefined and len(value) < length)


def _unreadable(data: bytes, cut: bool = False) -> errors.PictureError:
    """Return why nothing that a picture has was found."""
    if not _has_preamble(data):
        return errors.NotAPicture(f"Expected a picture. Received: {len(data):,} bytes of something else.")
    if cut:
        return errors.TruncatedPicture(f"Expected a whole DICOM file. Received: {len(data):,} bytes that end within the header.")
    return errors.CorruptPicture("Expected DICOM with Modality, SOPClassUID or Rows. Received: none of them.")


def _check_picture(file: _File, max_pixels: int) -> Layout:
    """Return how the pixels lie, once the header promises one grey picture of sane size in a form that is read."""
    shape = attributes.shape(file.dataset)
    if file.pixels is None:
        if file.cut:
            raise errors.TruncatedPicture("Expected a whole DICOM file. Received: one that ends within the header.")
        raise dicom_errors.NoPixelData("Expected a DICOM file with pixel data of whole numbers. Received: one without.")
    if shape.frames > 1:
        raise errors.SeveralFrames("Expected one picture. Received: DICOM with several frames.")
    if shape.samples != 1 or _COLOUR.fullmatch(shape.photometric):
        raise dicom_errors.ColourPicture("Expected a grey picture (MONOCHROME1 or MONOCHROME2). Received: colour.")
    if shape.photometric not in _GREY:
        raise errors.CorruptPicture("Expected MONOCHROME1 or MONOCHROME2. Received: another photometric interpretation.")
    layout = attributes.layout(file.dataset)
    check_size(layout.columns, layout.rows, max_pixels)
    if file.syntax not in (*_PLAIN, _RLE, *_COMPRESSED):
        raise dicom_errors.UnsupportedTransferSyntax("Expected a transfer syntax that docs/dicom.md lists. Received: another one.")
    if file.cut:
        raise errors.TruncatedPicture("Expected whole pixel data. Received: data that end too early.")
    return layout


def _samples(file: _File, layout: Layout, draft_px: tuple[int, int] | None) -> Samples:
    """Return the stored values."""
    pixels = file.pixels or memoryview(b"")
    if file.syntax in _PLAIN and not file.items:
        return codestream.plain(pixels, layout, file.order, file.words)
    frame = codestream.encapsulated(pixels)
    return codestream.run_length(frame, layout) if file.syntax == _RLE else codestream.compressed(frame, layout, draft_px)
