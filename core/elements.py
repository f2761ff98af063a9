"""The elements that are read of a DICOM data set, and their values whatever stands in them. Called by `core.attributes` and `core.dicom`.

The list below is all that is read. Names, numbers and identifiers of people, places and studies are not on it; the dates are there for the
age alone. Files in the wild hold anything anywhere: what cannot be understood counts as not said.
"""

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pydicom import Dataset

TAGS: Final = {
    "SOPClassUID": 0x00080016,
    "StudyDate": 0x00080020,
    "AcquisitionDate": 0x00080022,
    "Modality": 0x00080060,
    "PresentationIntentType": 0x00080068,
    "AnatomicRegionSequence": 0x00082218,
    "PatientBirthDate": 0x00100030,
    "PatientAge": 0x00101010,
    "BodyPartExamined": 0x00180015,
    "ImagerPixelSpacing": 0x00181164,
    "ViewPosition": 0x00185101,
    "PatientOrientation": 0x00200020,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "PixelAspectRatio": 0x00280034,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "PixelPaddingValue": 0x00280120,
    "PixelPaddingRangeLimit": 0x00280121,
    "BurnedInAnnotation": 0x00280301,
    "WindowCenter": 0x00281050,
    "WindowWidth": 0x00281051,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
    "VOILUTFunction": 0x00281056,
    "ModalityLUTSequence": 0x00283000,
    "VOILUTSequence": 0x00283010,
    "ViewCodeSequence": 0x00540220,
    "PresentationLUTShape": 0x20500020,
}
_CODE_MEANING: Final = 0x00080104
_LARGEST: Final = 1e12
_LONGEST: Final = 64  # letters: longer than any word that matters


def sixteen_bits(value: object, order: str) -> npt.NDArray[np.uint16]:
    """Return whole numbers, which come as bytes or as a list, as if without sign."""
    if isinstance(value, bytes):
        return np.frombuffer(value[: len(value) // 2 * 2], f"{order}u2").astype(np.uint16)
    return (np.atleast_1d(np.asarray(value, dtype=np.int64)) & 0xFFFF).astype(np.uint16)


def values(dataset: "Dataset", name: str) -> list[Any]:
    """Return the values of an attribute: none where it is missing or cannot be understood."""
    try:
        value = dataset[TAGS[name]].value
        return list(value) if isinstance(value, MutableSequence) else [] if value is None or value == "" else [value]
    except Exception:  # a damaged element: pydicom's errors have no base in common
        return []


def texts(dataset: "Dataset", name: str) -> tuple[str, ...]:
    """Return the first two values of an attribute in capitals."""
    return tuple(str(value).strip(" \0").upper()[:_LONGEST] for value in values(dataset, name)[:2])


def text(dataset: "Dataset", name: str) -> str:
    """Return the first value of an attribute in capitals, empty where there is none."""
    return next(iter(texts(dataset, name)), "")


def meaning(dataset: "Dataset", name: str) -> str:
    """Return in words what the first code of a sequence means."""
    try:
        items: list[Any] = values(dataset, name)
        return str(items[0][_CODE_MEANING].value).upper()[:_LONGEST]
    except Exception:  # there is none, or a damaged one
        return ""


def number(dataset: "Dataset", name: str) -> float | None:
    """Return the first number of an attribute, None where there is none of sane size."""
    try:
        found = float(text(dataset, name))
    except ValueError:
        return None
    return found if abs(found) <= _LARGEST else None  # nor NaN, which is not smaller than anything


def whole(dataset: "Dataset", name: str, missing: int) -> int:
    """Return the first whole number of an attribute, `missing` where there is none."""
    found = number(dataset, name)
    return missing if found is None else int(found)


def ratio(dataset: "Dataset", name: str) -> float | None:
    """Return the ratio of two positive numbers, None where there are no two."""
    try:
        height, width = (float(text) for text in texts(dataset, name))
    except ValueError:
        return None
    return height / width if height > 0.0 and width > 0.0 else None
