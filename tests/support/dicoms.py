"""DICOM files to try `core.dicom` on, written by pydicom and by Pillow, with every header the tests ask for."""

import io
import struct
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import UID

from core import phantom

Pixels = npt.NDArray[Any]

CR = "1.2.840.10008.5.1.4.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".1.99", ".2"))
RLE, JPEG, JPEG_LOSSLESS, J2K_LOSSLESS, J2K = (f"1.2.840.10008.1.2.{end}" for end in ("5", "4.50", "4.70", "4.90", "4.91"))
CHEST: Mapping[str, Any] = {
    "SOPClassUID": CR,
    "SOPInstanceUID": "1.2.3.4.5",
    "Modality": "CR",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "PatientOrientation": ["L", "F"],
    "PatientAge": "004Y",
}
"""A header that has nothing to warn of."""


def dataset(pixels: Pixels | None, stored: int | None = None, **header: Any) -> Dataset:
    """Return a data set of these stored values; None as a value of `header` leaves an attribute out."""
    made = Dataset()
    attributes: dict[str, Any] = dict(CHEST)
    if pixels is not None:
        allocated = pixels.dtype.itemsize * 8
        bits = stored or allocated
        attributes |= {"SamplesPerPixel": 1 if pixels.ndim == 2 else 3, "PhotometricInterpretation": "MONOCHROME2"}
        attributes |= {"Rows": pixels.shape[0], "Columns": pixels.shape[1], "BitsAllocated": allocated, "BitsStored": bits}
        attributes |= {"HighBit": bits - 1, "PixelRepresentation": int(pixels.dtype.kind == "i")}
        if pixels.ndim == 3:
            attributes |= {"PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    with disable_value_validation():  # real files hold what the standard forbids
        for name, value in {**attributes, **header}.items():
            if value is not None:
                setattr(made, name, value)
    return made


def file(pixels: Pixels | None, stored: int | None = None, syntax: str = EXPLICIT, **header: Any) -> bytes:
    """Return a file of these stored values; as RLE and JPEG 2000 they are compressed."""
    made = dataset(pixels, stored, **header)
    if pixels is None:
        return written(made, syntax)
    if syntax == RLE:
        frame = get_encoder(UID(RLE)).encode(pixels.tobytes(), index=0, rows=pixels.shape[0], columns=pixels.shape[1], **_rle(made))
        return written(made, syntax, frame)
    if syntax in (J2K, J2K_LOSSLESS):
        return written(made, syntax, j2k(pixels))
    order: Literal["<", ">"] = ">" if syntax == BIG_ENDIAN else "<"
    made.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes().ljust((pixels.nbytes + 1) // 2 * 2, b"\0")
    made["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    return written(made, syntax)


def written(made: Dataset, syntax: str, frame: bytes | None = None) -> bytes:
    """Write a data set as a file with preamble; `frame` becomes its encapsulated pixel data."""
    if frame is not None:
        made.PixelData = encapsulate([frame])
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = UID(CR)
    meta.MediaStorageSOPInstanceUID = UID(str(made.get("SOPInstanceUID", "1.2.3")))
    stream = io.BytesIO()
    with disable_value_validation():
        dcmwrite(stream, FileDataset(io.BytesIO(), made, file_meta=meta, preamble=bytes(128)), enforce_file_format=True)
    return stream.getvalue()


def bare(made: Dataset, implicit: bool = True, little: bool = True) -> bytes:
    """Write a data set alone: no preamble, no file meta information."""
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    write_dataset(stream, made)
    return stream.getvalue()


def deep(grey: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint16]:
    """Spread 8 bits over more, so that 255 becomes the largest value."""
    spread: npt.NDArray[np.uint16] = np.rint(grey / 255.0 * (2**bits - 1)).astype(np.uint16)
    return spread


@cache
def chest() -> npt.NDArray[np.uint8]:
    """A drawn chest that is not square."""
    return np.asarray(Image.fromarray(phantom.chest(3)).resize((120, 100)))


@cache
def sound(syntax: str = EXPLICIT) -> bytes:
    """A sound file of 12 bits."""
    return file(deep(chest(), 12), 12, syntax)


def table(first: int, values: Pixels, bits: int = 16) -> Sequence:
    """Return a sequence of one lookup table, for ModalityLUTSequence or VOILUTSequence."""
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(values) % 65536, first, bits])
    item.add_new(0x00283003, "LO", "a table")
    item.add_new(0x00283006, "OW", values.astype("<u2").tobytes())
    return Sequence([item])


def code(meaning: str) -> Sequence:
    """Return a sequence of one code."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "X-1", "SRT", meaning
    return Sequence([item])


def jpeg(grey: npt.NDArray[np.uint8], mode: str = "L", **options: Any) -> bytes:
    """Return a JPEG stream of 8 bits."""
    stream = io.BytesIO()
    Image.fromarray(grey).convert(mode).save(stream, "JPEG", **{"quality": 95, **options})
    return stream.getvalue()


def j2k(pixels: Pixels, **options: Any) -> bytes:
    """Return a lossless JPEG 2000 stream of 8 or 16 bits."""
    stream = io.BytesIO()
    unsigned = pixels.view(np.uint16) if pixels.dtype == np.int16 else pixels
    Image.fromarray(unsigned).save(stream, "JPEG2000", no_jp2=True, **options)
    return stream.getvalue()


def lossless_jpeg(pixels: Pixels, precision: int) -> bytes:
    """Return a stream of JPEG's process 14 with selection value 1: each pixel as the difference to its left neighbour."""
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (precision - 1)
    pieces = []
    for difference in (values - predicted).ravel():
        size = int(abs(difference)).bit_length()
        rest = format(difference if difference > 0 else difference + (1 << size) - 1, f"0{size}b") if size else ""
        pieces.append(format(size, "05b") + rest)
    bits = "".join(pieces)
    data = int(bits + "1" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, "big").replace(b"\xff", b"\xff\0")
    height, width = pixels.shape
    lengths = [0] * 16
    lengths[4] = 17  # seventeen codes of five bits each: the size of the difference itself
    huffman = struct.pack(">HB", 36, 0) + bytes(lengths) + bytes(range(17))
    frame = struct.pack(">HBHHB3B", 11, precision, height, width, 1, 1, 0x11, 0)
    scan = struct.pack(">HB2B3B", 8, 1, 1, 0, 1, 0, 0)
    return b"\xff\xd8\xff\xc4" + huffman + b"\xff\xc3" + frame + b"\xff\xda" + scan + data + b"\xff\xd9"


def bomb(zeros: int) -> bytes:
    """Return a deflated file whose data set is followed by this many zeros."""
    data = file(chest(), 8, DEFLATED)
    meta = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(zlib.decompress(data[meta:], -zlib.MAX_WBITS))
    return data[:meta] + packed + b"".join(packer.compress(bytes(2**20)) for _ in range(zeros >> 20)) + packer.flush()


def _rle(made: Dataset) -> dict[str, Any]:
    names = ("samples_per_pixel", "bits_allocated", "bits_stored", "pixel_representation", "photometric_interpretation")
    values = (made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.PixelRepresentation, made.PhotometricInterpretation)
    return {**dict(zip(names, values, strict=True)), "number_of_frames": 1, "planar_configuration": 0}
