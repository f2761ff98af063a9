"""Whether a DICOM file is a frontal chest radiograph ready to be looked at, by what its header says. Called by `core.dicom`.

A header is filled in by people and machines, and often not at all. What it states and the model does not read is refused; what it leaves
out is told. No value of a header stands in a sentence unless it is one of the words below.
"""

import re
from datetime import date
from typing import Final, NamedTuple

from core import dicom_errors

ADULT_YEARS: Final = 18
ADULT: Final = "patient_is_adult"
BURNED_IN: Final = "burned_in_annotation"
RADIOGRAPHS: Final = ("CR", "DX")
# Film that was scanned, what a workstation made of another picture, and an older word for DX: radiographs only where a chest is stated.
PERHAPS_RADIOGRAPHS: Final = ("RG", "OT", "DR", "")
# PS3.3 C.7.3.1.1.1; only these words are ever repeated in an answer.
MODALITIES: Final = re.compile(
    "AR|ASMT|AU|BDUS|BI|BMD|CT|DG|DOC|ECG|EPS|ES|FID|GM|HC|HD|IO|IOL|IVOCT|IVUS|KER|KO|LEN|LS|MG|MR|NM|OAM|OCT|OP|OPM|OPT|OPV|OSS|PA|PLAN|POS|"
    "PR|PT|PX|REG|RESP|RF|RTDOSE|RTIMAGE|RTPLAN|RTRECORD|RTSTRUCT|SEG|SM|SMR|SR|SRF|TG|US|VA|XA|XC"
)
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES: Final = frozenset(_STORAGE + end for end in ("1", "1.1", "7", "7.2", "7.3"))
"""CR, DX for presentation, secondary capture: of any kind, of grey bytes, of grey words."""
FOR_PROCESSING: Final = _STORAGE + "1.1.1"

_CHEST: Final = re.compile(r"CHEST|THORAX|LUNG|TORAX|TORSO|TRUNK")
# PS3.16 annex L, the first letters of each: German or Chinese words are no reason to refuse.
_ELSEWHERE: Final = re.compile(
    r"ABDOMEN|ANKLE|ARM|BREAST|CALCANEUS|CLAVICLE|COCCYX|CSPINE|CERVICALSPINE|ELBOW|EXTREMITY|EYE|FEMUR|FINGER|FOOT|FOREARM|HAND|HEAD|HIP|"
    r"HUMERUS|JAW|KNEE|LEG|LSPINE|LUMBAR|MANDIBLE|MAXILLA|NECK|NOSE|ORBIT|PATELLA|PELVIS|RADIUS|SACRUM|SCAPULA|SHOULDER|SINUS|SKULL|SPINE|"
    r"TIBIA|TOE|TOOTH|TEETH|ULNA|WRIST|ZYGOMA"
)
_NOT_FRONTAL: Final = re.compile(
    r"\b(LL|RL|LAT|LLAT|RLAT|LATERAL|LLD|RLD|LATERALDECUBITUS|DECUBITUS|LLO|RLO|LPO|RPO|LAO|RAO|OBL|OBLIQUE|AXIAL|TANGENTIAL)\b"
)
_FRONTAL: Final = re.compile(r"\b(AP|PA|FRONTAL|(ANTERO|POSTERO)-?(POSTERIOR|ANTERIOR)|(ANTERIOR|POSTERIOR)-(ANTERIOR|POSTERIOR))\b")
_AGE: Final = re.compile(r"(\d{1,3})([DWMY]?)")
_PER_YEAR: Final = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0, "": 1.0}  # "81" for "081Y" is often seen


class Subject(NamedTuple):
    """What a header says of the kind of the picture and of the patient; texts in capitals, empty where nothing is said."""

    modality: str = ""
    sop_class: str = ""
    intent: str = ""
    body_part: str = ""
    view: str = ""
    view_meaning: str = ""
    orientation: tuple[str, ...] = ()
    burned_in: str = ""
    age: str = ""
    born: str = ""
    taken: str = ""


def check(subject: Subject) -> tuple[str, ...]:
    """Return the codes of what the header leaves out or warns of.

    Raises:
        dicom_errors.NotARadiograph, dicom_errors.NotForPresentation: it says that this is another kind of object.
        dicom_errors.NotAChest, dicom_errors.NotFrontal: it says that this is another picture.
    """
    _check_kind(subject)
    chest = _CHEST.search(subject.body_part) is not None
    if not chest and _ELSEWHERE.search(subject.body_part):
        raise dicom_errors.NotAChest("Expected a radiograph of the chest. Received: one of another part of the body.")
    if not chest and subject.modality not in RADIOGRAPHS:
        kind = subject.modality or "no modality"
        raise dicom_errors.NotARadiograph(f"Expected modality CR or DX, or a chest as the body part. Received: {kind} without a body part.")
    found = {
        "body_part_not_stated": not chest,
        "view_not_stated": not _is_frontal(subject),
        "not_upright": any(letter[:1] in ("H", "F") for letter in subject.orientation[:1])
        or any(letter[:1] == "H" for letter in subject.orientation[1:2]),
        ADULT: _is_adult(subject),
        BURNED_IN: subject.burned_in == "YES",
    }
    return tuple(code for code, holds in found.items() if holds)


def _check_kind(subject: Subject) -> None:
    """Refuse what is no radiograph, or none yet."""
    if subject.modality not in (*RADIOGRAPHS, *PERHAPS_RADIOGRAPHS):
        kind = subject.modality if MODALITIES.fullmatch(subject.modality) else "another one"
        raise dicom_errors.NotARadiograph(f"Expected modality CR or DX. Received: {kind}.")
    if subject.sop_class == FOR_PROCESSING or subject.intent == "FOR PROCESSING":
        raise dicom_errors.NotForPresentation("Expected a picture for presentation. Received: raw data of a detector, for processing.")
    if subject.sop_class and subject.sop_class not in SOP_CLASSES:
        raise dicom_errors.NotARadiograph("Expected a stored CR, DX or secondary capture image. Received: another kind of DICOM object.")


def _is_frontal(subject: Subject) -> bool:
    """Whether the header says that the view is frontal; False where it says nothing.

    Raises:
        dicom_errors.NotFrontal: it says that it is another.
    """
    for text in (subject.view, subject.view_meaning):
        if _NOT_FRONTAL.search(text):
            raise dicom_errors.NotFrontal("Expected a frontal view (AP or PA). Received: a lateral, oblique or decubitus one.")
        if _FRONTAL.search(text):
            return True
    # Rows that run to the front or the back of the patient: seen from the side.
    if subject.orientation and subject.orientation[0][:1] in ("A", "P"):
        raise dicom_errors.NotFrontal("Expected a frontal view (AP or PA). Received: one in which rows run from front to back.")
    return False


def _is_adult(subject: Subject) -> bool:
    """By the age, else by the dates; False where neither can be told."""
    age = _AGE.fullmatch(subject.age)
    if age:
        return int(age[1]) / _PER_YEAR[age[2]] >= ADULT_YEARS
    born, taken = _day(subject.born), _day(subject.taken)
    return born is not None and taken is not None and (taken - born).days / 365.25 >= ADULT_YEARS


def _day(text: str) -> date | None:
    digits = text.replace(".", "")  # 1993.01.28, as before 1993
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
