"""The cases of DICOM: what is read, what is refused, what is stored."""

from core import phantom
from tests.contract import bodies
from tests.contract.deployments import ADMIN, JSON, MULTIPART, Case, predict
from tests.contract.doors import Ask
from tests.support import dicoms

DICOM = {"Content-Type": "application/dicom"}
GREY = phantom.chest(3)
SOUND = dicoms.file(dicoms.deep(GREY, 12), 12)


def _read() -> list[Case]:
    inverted = dicoms.file(4095 - dicoms.deep(GREY, 12), 12, PhotometricInterpretation="MONOCHROME1")
    return [
        Case("reads DICOM as application/dicom", predict(SOUND, DICOM), 200),
        Case("reads DICOM without a content type", predict(SOUND), 200),
        Case("reads DICOM with a heat map", predict(SOUND, DICOM, {"explain": "heatmap"}), 200),
        Case("reads inverted DICOM", predict(inverted, DICOM), 200),
        Case("reads DICOM of JPEG 2000", predict(dicoms.file(GREY, 8, dicoms.J2K_LOSSLESS), DICOM), 200),
        Case("reads DICOM of an adult", predict(dicoms.file(GREY, PatientAge="081Y"), DICOM), 200),
        Case("reads two files, one of them DICOM", predict(bodies.multipart(bodies.jpeg(), SOUND), MULTIPART), 200),
        Case("reads an instance of DICOM", predict(bodies.instances(SOUND), JSON), 200),
    ]


def refused() -> dict[str, bytes]:
    """A file for each error that DICOM alone has."""
    return {
        "unsupported_transfer_syntax": dicoms.written(dicoms.dataset(GREY), "1.2.840.10008.1.2.4.102", b"no video"),
        "not_a_radiograph": dicoms.file(GREY, Modality="CT"),
        "not_for_presentation": dicoms.file(GREY, PresentationIntentType="FOR PROCESSING"),
        "not_a_chest": dicoms.file(GREY, BodyPartExamined="HAND"),
        "not_frontal": dicoms.file(GREY, ViewPosition="LL"),
        "no_pixel_data": dicoms.file(None),
        "colour_picture": dicoms.file(GREY, PhotometricInterpretation="PALETTE COLOR"),
    }


def _refused() -> list[Case]:
    others = {"several_frames": dicoms.file(GREY, NumberOfFrames=2), "truncated_picture": SOUND[:5000]}
    found = {**refused(), **others}
    return [
        *(
            Case(f"refuses DICOM: {code}", predict(data, DICOM), 415 if "unsupported" in code else 422, code)
            for code, data in found.items()
        ),
        Case("refuses DICOM of 32 bits", predict(dicoms.file(GREY, BitsAllocated=32), DICOM), 415, "unsupported_format"),
        Case("refuses DICOM of 60,000 rows", predict(dicoms.file(GREY, Rows=60_000), DICOM), 413, "picture_too_large"),
        Case("refuses a web page as DICOM", predict(b"<!doctype html><html></html>" * 9, DICOM), 422, "not_a_picture"),
    ]


def _stored() -> list[Case]:
    def upload(data: bytes) -> Ask:
        return Ask("POST", "/upload-data", data, {**DICOM, **ADMIN}, {"label": "normal"})

    burned = dicoms.file(GREY, BurnedInAnnotation="YES")
    cases = [
        Case("stores DICOM", upload(SOUND), 200),
        Case("stores DICOM again", upload(SOUND), 200),
        Case("refuses to store text in a picture", upload(burned), 422, "burned_in_annotation"),
        Case("refuses to store a lateral view", upload(dicoms.file(GREY, ViewPosition="LL")), 422, "not_frontal"),
    ]
    return [case._replace(deployment="store") for case in cases]


CASES = (*_read(), *_refused(), *_stored())
