"""Streams that other programs wrote, from the files that pydicom comes with, and HTJ2K where imagecodecs can write it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

import pydicom.data
from pydicom import dcmread
from pydicom.dataset import Dataset

from core import images
from tests.support import dicoms

FOLDER = Path(pydicom.data.__file__).parent / "test_files"


def as_chest(name: str) -> Dataset:
    """Return one of pydicom's files as if it were a radiograph of a chest."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"needs {name}, which this pydicom came without: pip install pydicom==3.0.2")
    opened = dcmread(path)
    for tag, value in dicoms.CHEST.items():
        setattr(opened, tag, value)
    return opened


def grey(opened: Dataset) -> npt.NDArray[np.float64]:
    data = dicoms.written(opened, str(opened.file_meta.TransferSyntaxUID))
    return images.decode(data).grey.astype(np.float64)


@pytest.mark.parametrize("name", ["jpeg_ls_lossless", "jp2klossless", "RLE", "bigendian", "implicit"])
def test_copy_in_another_syntax_reads_as_the_plain_one(name: str) -> None:
    assert np.array_equal(grey(as_chest(f"MR_small_{name}.dcm")), grey(as_chest("MR_small.dcm")))


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"])
def test_stream_reads_as_pydicom_reads_it(name: str) -> None:
    """The last is signed as its header says, and unsigned as its stream says."""
    expected = dcmread(FOLDER / name).pixel_array.astype(np.float64)
    low, high = expected.min(), expected.max()
    opened = as_chest(name)
    for attribute in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue"):
        if attribute in opened:
            delattr(opened, attribute)
    opened.WindowCenter, opened.WindowWidth, opened.VOILUTFunction = (low + high) / 2, high - low, "LINEAR_EXACT"

    assert np.abs(grey(opened) - (expected - low) / (high - low) * 255.0).max() < 0.1


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"])
@pytest.mark.parametrize("bits", [8, 16])
def test_high_throughput_jpeg_2000_is_read(syntax: str, bits: int) -> None:
    imagecodecs = pytest.importorskip("imagecodecs", reason="needs imagecodecs, which writes HTJ2K: pip install imagecodecs")
    chest = dicoms.chest()
    pixels = chest if bits == 8 else dicoms.deep(chest, 16)
    frame = bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(pixels)))

    picture = images.decode(dicoms.written(dicoms.dataset(pixels), syntax, frame))

    assert np.abs(picture.grey - chest).max() < 0.1
