"""Decoding a DICOM file of 2,000 × 2,000 pixels and 16 bits, beside pydicom's own way: `python -m benchmarks.dicom`."""

import io
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from core import images, phantom

SIDE_PX: Final = 2000
ROUNDS: Final = 15


def write() -> bytes:
    """Return a drawn chest of 16 bits with a window."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    made = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = ComputedRadiographyImageStorage, "1.2.3", "CR"
    made.BodyPartExamined, made.ViewPosition, made.PhotometricInterpretation, made.SamplesPerPixel = "CHEST", "PA", "MONOCHROME1", 1
    made.Rows = made.Columns = SIDE_PX
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.WindowCenter, made.WindowWidth = 32768, 60000
    made.PixelData = (65535 - phantom.chest(3, SIDE_PX).astype(np.uint16) * 257).tobytes()
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def usual(data: bytes) -> npt.NDArray[np.float32]:
    """Decode as pydicom's documentation does it: every step on the whole picture, in float64."""
    opened = dcmread(io.BytesIO(data))
    shown = apply_voi_lut(apply_modality_lut(opened.pixel_array, opened), opened)
    return ((65535.0 - shown) * (255.0 / 65535.0)).astype(np.float32)


def measure(name: str, decode: Callable[[bytes], object], data: bytes) -> None:
    """Print the median time and the peak of memory."""
    decode(data)
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        decode(data)
        times.append(perf_counter() - start)
    tracemalloc.start()
    decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{name:<24} {median(times) * 1000:7.1f} ms   {min(times) * 1000:7.1f} ms at best   {peak / 2**20:6.1f} MiB at most")


if __name__ == "__main__":
    written = write()
    assert np.abs(images.decode(written).grey - usual(written)).max() < 0.01
    measure("core.images.decode", lambda data: images.decode(data).grey, written)
    measure("pydicom, step by step", usual, written)
