"""Bytes of a DICOM file to its header and the value of its pixel data, nothing of which is decoded yet. Called by `core.dicom`.

With or without preamble and file meta information, in any byte order, deflated or not; never more work or memory than a picture is worth.
"""

import io
import re
import zlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from core import elements, errors

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
SYNTAX: Final = "1.2.840.10008.1.2"
IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN, RLE = (SYNTAX + end for end in ("", ".1", ".1.99", ".2", ".5"))
PLAIN: Final = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)
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


class DicomFile(NamedTuple):
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
    if has_preamble(data):
        return True
    # The first element of file meta or of the identifying group, in any byte order; then a type, or a length that fits.
    little = data[:1] in (b"\x02", b"\x08") and data[1:2] == b"\0" and data[3:4] == b"\0"
    big = data[:3] in (b"\0\x02\0", b"\0\x08\0")
    length = int.from_bytes(data[4:8], "little")
    return (little and (_TYPE.fullmatch(data[4:6]) is not None or 0 < length <= len(data) - 8)) or (
        big and _TYPE.fullmatch(data[4:6]) is not None
    )


def has_preamble(data: bytes) -> bool:
    """Whether bytes begin as PS3.10 has it."""
    return data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM"


def read(data: bytes, max_pixels: int) -> DicomFile:
    """Parse the header up to the pixel data.

    Raises:
        errors.PictureError: a deflated file is cut or a bomb, or the header goes on for ever.
        Exception: whatever pydicom raises on damaged elements.
    """
    from pydicom.filereader import read_dataset

    stream = _Stream(data)
    if has_preamble(data):
        stream.seek(_PREAMBLE_BYTES + 4)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _type, _length: tag >> 16 != 2, specific_tags=[0x00020010])
    syntax = str(meta[0x00020010].value or "") if 0x00020010 in meta else ""
    if syntax == DEFLATED:
        data = _inflated(data[stream.tell() :], max_pixels)
        stream = _Stream(data)
    start = stream.tell()
    syntax = syntax or _guessed(data[start : start + 6])
    dataset = read_dataset(
        stream,
        syntax == IMPLICIT,
        syntax != BIG_ENDIAN,
        stop_when=lambda tag, _type, _length: tag >= min(_FLOAT_PIXELS),
        specific_tags=list(elements.TAGS.values()),
    )
    implicit, little = dataset.original_encoding
    return _find_pixels(memoryview(data), stream.tell(), DicomFile(dataset, syntax, None, order="<" if little else ">"), implicit is True)


def _guessed(beginning: bytes) -> str:
    """Return the transfer syntax of a data set that does not say: PS3.10 wants implicit little endian, and some writers do otherwise."""
    if not _TYPE.fullmatch(beginning[4:6]):
        return IMPLICIT
    return BIG_ENDIAN if beginning[:1] == b"\0" else EXPLICIT


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


def _find_pixels(data: memoryview, at: int, file: DicomFile, implicit: bool) -> DicomFile:
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
