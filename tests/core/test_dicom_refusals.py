"""What of DICOM is refused, each with its own code; what is told of the header; and that no header value gets into a sentence."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from core import dicom_errors, errors, images
from tests.support import dicoms
from tests.support.dicoms import file

ROOT = Path(__file__).resolve().parents[2]
CHEST = dicoms.chest()
RGB = np.repeat(CHEST[:, :, np.newaxis], 3, axis=2)
STORAGE = "1.2.840.10008.5.1.4.1.1."
SOUND = dicoms.sound()

MODALITIES = ("CT", "MR", "US", "MG", "XA", "RF", "SR")
ELSEWHERE = ("HAND", "C-SPINE", "PELVIS", "SKULL")
VIEWS = ("LL", "RL", "LATERAL", "LLD", "RAO", "AP LLD")
REFUSED: dict[str, tuple[bytes, type[errors.PictureError]]] = {
    **{f"modality {name}": (file(CHEST, Modality=name), dicom_errors.NotARadiograph) for name in MODALITIES},
    "modality of its own": (file(CHEST, Modality="JANEDOE"), dicom_errors.NotARadiograph),
    "other without a chest": (file(CHEST, Modality="OT", BodyPartExamined=None), dicom_errors.NotARadiograph),
    "no modality and no chest": (file(CHEST, Modality=None, BodyPartExamined=None), dicom_errors.NotARadiograph),
    "CT as an object": (file(CHEST, SOPClassUID=STORAGE + "2"), dicom_errors.NotARadiograph),
    "mammogram as an object": (file(CHEST, SOPClassUID=STORAGE + "1.2"), dicom_errors.NotARadiograph),
    "raw by its class": (file(CHEST, SOPClassUID=STORAGE + "1.1.1", Modality="DX"), dicom_errors.NotForPresentation),
    "raw by its intent": (file(CHEST, Modality="DX", PresentationIntentType="FOR PROCESSING"), dicom_errors.NotForPresentation),
    **{f"body part {name}": (file(CHEST, BodyPartExamined=name), dicom_errors.NotAChest) for name in ELSEWHERE},
    "region hand": (file(CHEST, BodyPartExamined=None, AnatomicRegionSequence=dicoms.code("Hand")), dicom_errors.NotAChest),
    **{f"view {name}": (file(CHEST, ViewPosition=name), dicom_errors.NotFrontal) for name in VIEWS},
    "view in words": (file(CHEST, ViewPosition=None, ViewCodeSequence=dicoms.code("left lateral")), dicom_errors.NotFrontal),
    "rows from back to front": (file(CHEST, ViewPosition=None, PatientOrientation=["A", "F"]), dicom_errors.NotFrontal),
    "no pixel data": (file(None, Rows=100, Columns=100), dicom_errors.NoPixelData),
    "colour": (file(RGB), dicom_errors.ColourPicture),
    "palette": (file(CHEST, PhotometricInterpretation="PALETTE COLOR"), dicom_errors.ColourPicture),
    "colour in the stream": (dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG, dicoms.jpeg(CHEST, "RGB")), dicom_errors.ColourPicture),
    "unknown interpretation": (file(CHEST, PhotometricInterpretation="MONOCHROME9"), errors.CorruptPicture),
    "several frames": (file(CHEST, NumberOfFrames=2), errors.SeveralFrames),
    "video": (dicoms.written(dicoms.dataset(CHEST), "1.2.840.10008.1.2.4.102", b"x" * 10), dicom_errors.UnsupportedTransferSyntax),
    "unknown transfer syntax": (dicoms.written(dicoms.dataset(CHEST), "1.2.3", b"x" * 10), dicom_errors.UnsupportedTransferSyntax),
    "32 bits": (file(CHEST, BitsAllocated=32, BitsStored=32, HighBit=31), errors.UnsupportedFormat),
    "1 bit": (file(CHEST, BitsAllocated=1, BitsStored=1, HighBit=0), errors.UnsupportedFormat),
    "more bits stored than allocated": (file(CHEST, BitsStored=12, HighBit=11), errors.CorruptPicture),
    "no rows": (file(CHEST, Rows=0), errors.CorruptPicture),
    "rows that are none": (file(CHEST, Rows=None), errors.CorruptPicture),
    "31 rows": (file(np.zeros((31, 64), np.uint8)), errors.PictureTooSmall),
    "too few pixels": (file(CHEST, Rows=101), errors.TruncatedPicture),
    "too few pixels, compressed": (dicoms.written(dicoms.dataset(CHEST, Rows=101), dicoms.JPEG, dicoms.jpeg(CHEST)), errors.CorruptPicture),
    "no stream": (dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG, b"no stream, but a text"), errors.CorruptPicture),
    "RLE of too few segments": (dicoms.written(dicoms.dataset(CHEST), dicoms.RLE, bytes(64)), errors.CorruptPicture),
    "bomb: rows and columns": (file(CHEST, Rows=60_000, Columns=60_000), errors.PictureTooLarge),
    "bomb: deflated": (dicoms.bomb(300 * 2**20), errors.PictureTooLarge),
    "deflated and cut": (file(CHEST, 8, dicoms.DEFLATED)[:-100], errors.TruncatedPicture),
    "preamble and nothing": (bytes(128) + b"DICM", errors.CorruptPicture),
    "preamble and noise": (bytes(128) + b"DICM" + bytes(range(256)) * 10, errors.PictureError),
    "web page saved as .dcm": (b"<!doctype html><html><body>Sign in</body></html>" * 20, errors.NotAPicture),
    "noise that begins like a data set": (b"\x08\0\x05\0CS\x02\0" + bytes(range(256)) * 4, errors.NotAPicture),
}


@pytest.mark.parametrize(("data", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_readable_frontal_chest_is_refused(data: bytes, kind: type[errors.PictureError]) -> None:
    with pytest.raises(errors.PictureError) as caught:
        images.decode(data)

    assert isinstance(caught.value, kind), caught.value
    assert "Expected" in str(caught.value)
    assert "Received" in str(caught.value)
    assert "JANEDOE" not in str(caught.value)


ACCEPTED: dict[str, dict[str, Any]] = {
    "DX": {"Modality": "DX", "SOPClassUID": dicoms.DX},
    "film": {"Modality": "RG"},
    "secondary capture": {"Modality": "OT", "SOPClassUID": STORAGE + "7"},
    "grey words of secondary capture": {"Modality": "OT", "SOPClassUID": STORAGE + "7.3", "NumberOfFrames": 1},
    "no class": {"SOPClassUID": None},
    "another word for the chest": {"BodyPartExamined": "Thorax a.p."},
    "chest and abdomen": {"BodyPartExamined": "CHESTABDOMEN"},
    "chest as a code": {"BodyPartExamined": None, "AnatomicRegionSequence": dicoms.code("Chest")},
    "AP": {"ViewPosition": "AP"},
    "AP supine": {"ViewPosition": "AP SUPINE"},
    "view as a code": {"ViewPosition": None, "ViewCodeSequence": dicoms.code("postero-anterior")},
    "mirrored": {"PatientOrientation": ["R", "F"]},
    "months": {"PatientAge": "017M"},
    "age of no kind": {"PatientAge": "FOUR"},
    "seventeen": {"PatientAge": "017Y"},
    "a child by its dates": {"PatientAge": None, "PatientBirthDate": "20200101", "StudyDate": "20240101"},
    "not burned in": {"BurnedInAnnotation": "NO"},
}


@pytest.mark.parametrize("header", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_frontal_chest_is_read_without_a_warning(header: dict[str, Any]) -> None:
    assert images.decode(file(CHEST, **header)).warnings == ()


WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "081Y": ({"PatientAge": "081Y"}, "patient_is_adult"),
    "81": ({"PatientAge": "81"}, "patient_is_adult"),
    "018Y": ({"PatientAge": "018Y"}, "patient_is_adult"),
    "300M": ({"PatientAge": "300M"}, "patient_is_adult"),
    "dates": ({"PatientAge": None, "PatientBirthDate": "19400305", "StudyDate": "20040119"}, "patient_is_adult"),
    "old dates": ({"PatientAge": None, "PatientBirthDate": "1940.03.05", "AcquisitionDate": "20040119"}, "patient_is_adult"),
    "no view": ({"ViewPosition": None}, "view_not_stated"),
    "view of no kind": ({"ViewPosition": "XYZ"}, "view_not_stated"),
    "no body part": ({"BodyPartExamined": None}, "body_part_not_stated"),
    "body part in another language": ({"BodyPartExamined": "BRUSTKORB"}, "body_part_not_stated"),
    "sideways": ({"PatientOrientation": ["F", "L"]}, "not_upright"),
    "upside down": ({"PatientOrientation": ["R", "H"]}, "not_upright"),
    "text in the picture": ({"BurnedInAnnotation": "YES"}, "burned_in_annotation"),
}


@pytest.mark.parametrize(("header", "code"), WARNED.values(), ids=WARNED.keys())
def test_what_the_header_leaves_out_or_warns_of_is_told(header: dict[str, Any], code: str) -> None:
    picture = images.decode(file(CHEST, **header))

    assert picture.warnings == (code,)
    assert np.array_equal(picture.grey, CHEST)


def test_limit_on_pixels_is_inclusive() -> None:
    assert images.decode(SOUND, max_pixels=CHEST.size).width_px == CHEST.shape[1]
    with pytest.raises(errors.PictureTooLarge):
        images.decode(SOUND, max_pixels=CHEST.size - 1)


def test_stream_that_is_larger_than_its_header_says_never_gets_to_a_decoder() -> None:
    stream = bytearray(dicoms.lossless_jpeg(CHEST, 8))
    frame = stream.index(b"\xff\xc3")
    stream[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"

    with pytest.raises(errors.CorruptPicture, match="size"):
        images.decode(dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG_LOSSLESS, bytes(stream)))


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].endswith({package!r}):  # pylibjpeg is of no use without libjpeg
            raise ModuleNotFoundError("blocked", name=name)
sys.meta_path.insert(0, Block())
from core import dicom_errors, images
data = sys.stdin.buffer.read()
try:
    images.decode(data)
except dicom_errors.DicomSupportMissing as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "data", "named"),
    [
        ("pydicom", SOUND, "[dicom]"),
        ("libjpeg", dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG_LOSSLESS, dicoms.lossless_jpeg(CHEST, 8)), "pylibjpeg-libjpeg"),
    ],
)
def test_installation_that_lacks_something_says_what(package: str, data: bytes, named: str) -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED.format(package=package)], input=data, capture_output=True, cwd=ROOT, check=True)

    assert named in done.stdout.decode()


def test_without_libjpeg_all_else_is_read() -> None:
    script = BLOCKED.format(package="libjpeg") + "else:\n    print('read')"
    for syntax in (dicoms.EXPLICIT, dicoms.RLE, dicoms.J2K_LOSSLESS):
        done = subprocess.run([sys.executable, "-c", script], input=file(CHEST, 8, syntax), capture_output=True, cwd=ROOT, check=True)
        assert done.stdout == b"read\n"


def test_serving_starts_and_reads_other_pictures_without_pydicom() -> None:
    script = "from core import bootstrap, phantom; from tests.support.requests import post; import sys; "
    script += "assert bootstrap.bootstrap({}).handle(post(phantom.jpeg())).status == 200; assert 'pydicom' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
