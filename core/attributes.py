"""What a DICOM header says of a picture, as typed values. Called by `core.dicom`."""

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from core import elements, errors
from core.codestream import Layout
from core.radiograph import Subject
from core.tones import Lut, Tones, Window

if TYPE_CHECKING:
    from pydicom import Dataset

_LUT_DESCRIPTOR: Final = 0x00283002
_LUT_DATA: Final = 0x00283006
_SMALLEST: Final = 1e-6  # of what is divided by
_SQUARE: Final = 0.01  # how far from 1 the ratio of a pixel's sides may be


class Shape(NamedTuple):
    """What the header says of the picture as a whole."""

    photometric: str
    samples: int
    frames: int
    square: bool


def is_empty(dataset: "Dataset") -> bool:
    """Whether nothing is there that a picture has."""
    return not any(elements.text(dataset, name) for name in ("Modality", "SOPClassUID", "Rows"))


def subject(dataset: "Dataset") -> Subject:
    """Return what the header says of the kind of picture and of the patient."""
    return Subject(
        modality=elements.text(dataset, "Modality"),
        sop_class=elements.text(dataset, "SOPClassUID"),
        intent=elements.text(dataset, "PresentationIntentType"),
        body_part=re.sub(
            r"[^A-Z]", "", elements.text(dataset, "BodyPartExamined") or elements.meaning(dataset, "AnatomicRegionSequence")
        ),  # C-SPINE
        view=elements.text(dataset, "ViewPosition"),
        view_meaning=elements.meaning(dataset, "ViewCodeSequence"),
        orientation=elements.texts(dataset, "PatientOrientation"),
        burned_in=elements.text(dataset, "BurnedInAnnotation"),
        age=elements.text(dataset, "PatientAge"),
        born=elements.text(dataset, "PatientBirthDate"),
        taken=elements.text(dataset, "AcquisitionDate") or elements.text(dataset, "StudyDate"),
    )


def shape(dataset: "Dataset") -> Shape:
    """Return what the header says of the picture as a whole."""
    ratios = (elements.ratio(dataset, name) for name in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"))
    ratio = next((ratio for ratio in ratios if ratio is not None), 1.0)
    return Shape(
        photometric=elements.text(dataset, "PhotometricInterpretation"),
        samples=elements.whole(dataset, "SamplesPerPixel", 1),
        frames=elements.whole(dataset, "NumberOfFrames", 1),
        square=abs(ratio - 1.0) <= _SQUARE,
    )


def layout(dataset: "Dataset") -> Layout:
    """Return what the header says of the pixels.

    Raises:
        errors.CorruptPicture: it says nothing, or what cannot be.
        errors.UnsupportedFormat: another number of bits than 8 or 16 a pixel.
    """
    rows, columns, allocated = (elements.whole(dataset, name, 0) for name in ("Rows", "Columns", "BitsAllocated"))
    stored = elements.whole(dataset, "BitsStored", allocated)
    high_bit = elements.whole(dataset, "HighBit", stored - 1)
    if rows < 1 or columns < 1 or allocated < 1:
        raise errors.CorruptPicture("Expected Rows, Columns and BitsAllocated above 0. Received: a header without.")
    if allocated not in (8, 16):
        raise errors.UnsupportedFormat(f"Expected DICOM of 8 or 16 bits a pixel. Received: {allocated}.")
    if not 1 <= stored <= allocated or not stored - 1 <= high_bit < allocated:
        raise errors.CorruptPicture("Expected BitsStored and HighBit within BitsAllocated. Received: others.")
    return Layout(rows, columns, allocated, stored, high_bit, signed=elements.whole(dataset, "PixelRepresentation", 0) == 1)


def tones(dataset: "Dataset", bits: Layout) -> Tones:
    """Return what the header says of grey levels; of several windows or tables the first."""
    slope, intercept = elements.number(dataset, "RescaleSlope"), elements.number(dataset, "RescaleIntercept")
    lut_shape = elements.text(dataset, "PresentationLUTShape")
    modality_lut = _lut(dataset, "ModalityLUTSequence", bits.signed)
    # After a rescaling values may be negative, whatever the pixels are; a table that begins beyond 32,767 then means a negative number.
    below_zero = bits.signed or (modality_lut is None and (intercept or 0.0) < 0.0)
    return Tones(
        white_is_low=elements.text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        inverse={"INVERSE": True, "IDENTITY": False}.get(lut_shape),
        slope=slope if slope is not None and abs(slope) >= _SMALLEST else 1.0,
        intercept=intercept or 0.0,
        modality_lut=modality_lut,
        voi_lut=_lut(dataset, "VOILUTSequence", below_zero),
        window=_window(dataset),
        padding=_padding(dataset, bits),
    )


def _window(dataset: "Dataset") -> Window | None:
    centre, width = elements.number(dataset, "WindowCenter"), elements.number(dataset, "WindowWidth")
    if centre is None or width is None or width < _SMALLEST:
        return None
    return Window(centre, width, elements.text(dataset, "VOILUTFunction"))


def _padding(dataset: "Dataset", bits: Layout) -> tuple[int, int] | None:
    """Return the lowest and the highest value that is no part of the picture."""
    first = elements.number(dataset, "PixelPaddingValue")
    if first is None:
        return None
    limit = elements.number(dataset, "PixelPaddingRangeLimit")
    top = 1 << bits.stored
    ends = (int(first), int(first if limit is None else limit))
    low, high = sorted(end - top if bits.signed and end >= top // 2 else end for end in ends)  # written as unsigned all the same
    return low, high


def _lut(dataset: "Dataset", name: str, signed: bool) -> Lut | None:
    """Return the first table of a sequence: PS3.3 C.11.1.1.

    Raises:
        errors.CorruptPicture: there is one, and it cannot be understood.
    """
    items = elements.values(dataset, name)
    if not items:
        return None
    try:
        item = items[0]
        order = "<" if dataset.original_encoding[1] else ">"
        count, first, _ = (int(number) for number in elements.sixteen_bits(item[_LUT_DESCRIPTOR].value, order))
        data = item[_LUT_DATA].value
        count = count or 1 << 16
        # Eight bits an entry where there are no more bytes than entries.
        values = (
            np.frombuffer(data, np.uint8) if isinstance(data, bytes) and len(data) < 2 * count - 1 else elements.sixteen_bits(data, order)
        )
    except Exception as error:  # pydicom's errors have no base in common
        raise errors.CorruptPicture(f"Expected a readable table in {name}. Received: a damaged one.") from error
    if not values.size:
        raise errors.CorruptPicture(f"Expected a table in {name}. Received: an empty one.")
    return Lut(first - (1 << 16) if signed and first >= 1 << 15 else first, values[:count].astype(np.float64))
