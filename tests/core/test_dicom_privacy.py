"""No identifier of a DICOM file leaves: not in an answer, a log line, a metric, a record, a stored picture, nor on the terminal."""

import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from pydicom._dicom_dict import DicomDictionary
from pydicom.config import disable_value_validation
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cli.main import main
from core import logs, phantom
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Request, Response
from tests.contract.bodies import BOUNDARY, instances, multipart
from tests.support import dicoms
from tests.support.requests import get, post, read

TOKEN = "a-token"
MARK = "QXZJVKWQ"  # in every value, and in nothing else
DIGITS = "98765432"  # in every number, date and identifier that may hold no letters
_TEXT = {"PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"}
_LEFT = {"SpecificCharacterSet", *dicoms.CHEST, "PatientBirthDate", "StudyDate", "AcquisitionDate"} - {"SOPInstanceUID"}


def sentinels() -> dict[str, str]:
    """A value for every attribute of the standard that can hold a text, a date, a time, an age or an identifier."""
    found = {}
    for tag, (kind, _, _, retired, _) in DicomDictionary.items():
        name = keyword_for_tag(tag)
        if not name or name in _LEFT or tag >> 16 in (0x0000, 0x0002, 0x0004) or retired or tag >= 0x7FE00000:
            continue
        if kind in _TEXT:
            found[name] = f"{MARK}{name[:8]}"
        elif kind == "UI":
            found[name] = f"1.2.{DIGITS}.{tag}"
        elif kind == "DA":
            found[name] = "19870604"
        elif kind == "TM":
            found[name] = "121314.987654"
        elif kind == "DT":
            found[name] = "19870604121314.987654"
    return found


FORBIDDEN = (MARK, DIGITS, "19870604", "19401122", "20240229", "121314", "987654", "083Y", "hunter")


PIXELS = dicoms.deep(phantom.chest(3), 12).tobytes()


def named(**header: object) -> bytes:
    """A file with a sentinel in every identifying attribute, in sequences and in private elements too."""
    with disable_value_validation():
        values = sentinels()
        assert len(values) > 800
        assert {"PatientName", "PatientID", "AccessionNumber", "InstitutionName", "StudyInstanceUID", "OperatorsName"} <= values.keys()
        own = {"SOPInstanceUID": f"1.2.{DIGITS}.1", "PatientAge": "083Y", "PatientBirthDate": "19401122", "StudyDate": "20240229"}
        made = dicoms.dataset(dicoms.deep(phantom.chest(3), 12), 12, **{**values, **own, **header})
        item = Dataset()
        item.PatientName, item.PatientID, item.ReferencedSOPInstanceUID = MARK + "Nested", MARK + "1", f"1.2.{DIGITS}.3"
        made.OtherPatientIDsSequence = Sequence([item])
        made.ViewCodeSequence = dicoms.code("postero-anterior")
        made.ViewCodeSequence[0].CodeValue = MARK
        made.private_block(0x0099, MARK + "CREATOR", create=True).add_new(1, "LO", MARK + "PRIVATE")
        made.WindowCenterWidthExplanation = MARK + "WINDOW"
        made.PixelData = PIXELS
        made["PixelData"].VR = "OW"
    return dicoms.written(made, dicoms.EXPLICIT)


SOUND = named()
FILES = {
    "sound": SOUND,
    "lateral": named(ViewPosition="LL"),
    "of a modality of its own": named(Modality=MARK),
    "of a body part of its own": named(BodyPartExamined=MARK, ViewPosition=MARK, PatientAge=MARK),
    "of a hand": named(BodyPartExamined=f"HAND {MARK}"),
    "of a class of its own": named(SOPClassUID=f"1.2.{DIGITS}.4"),
    "with text in the picture": named(BurnedInAnnotation="YES"),
    "that the guard refuses": SOUND.replace(PIXELS, bytes([0, 4]) * (len(PIXELS) // 2)),
    "with numbers that are none": named(Rows=100, WindowCenter=None, PhotometricInterpretation=MARK),
    "in a character set of its own": named(SpecificCharacterSet="ISO_IR 192").replace(b"ISO_IR 192", MARK.encode().ljust(10)),
    "cut in the header": SOUND[:3000],
    "cut in the pixels": SOUND[:-1000],
    "of damaged elements": SOUND.replace(b"UI", b"US").replace(b"LO", b"DS").replace(b"CS", b"IS"),
    "of unknown types": SOUND.replace(b"PN", b"ZZ").replace(b"SH", b"US"),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged by anybody, at any level, with warnings: in our own format, and as a root logger sees it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    loggers = [logging.getLogger(name) for name in ("", "pneumonia", "py.warnings", "PIL")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if logger.name != "PIL" else logging.INFO)
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def serving(tmp_path: Path) -> Service:
    settings = {"STORE": (tmp_path / "store").as_uri(), "ADMIN_TOKEN": TOKEN, "RECORD_PREDICTIONS": "on", "LOG_LEVEL": "DEBUG"}
    return bootstrap({f"PNEUMONIA_{name}": value for name, value in settings.items()})


def found_in(text: str | bytes) -> list[str]:
    shown = text.decode("latin-1") if isinstance(text, bytes) else text
    return [word for word in FORBIDDEN if word.lower() in shown.lower()]


def preview(serving: Service, data: bytes, kind: str = "") -> Response:
    return serving.handle(msgspec.structs.replace(post(data, kind), path="/preview"))


def ask_everything(serving: Service, data: bytes) -> list[bytes]:
    form = multipart(data, phantom.jpeg()).replace(b"p0.jpg", f"{MARK}.dcm".encode())
    bodies = [
        (data, "application/dicom"),
        (data, ""),
        (form, f"multipart/form-data; boundary={BOUNDARY}"),
        (instances(data), "application/json"),
    ]
    answers = [serving.handle(post(body, kind, {"explain": "heatmap"})).body for body, kind in bodies]
    answers.append(serving.handle(post(data, "", {"explain": "heatmap", "guard": "advise"})).body)
    answers.extend(preview(serving, body, kind).body for body, kind in bodies)
    for body, kind in bodies:
        sent = {"content-type": kind, "content-length": str(len(body)), "x-admin-token": TOKEN}
        request = Request(method="POST", path="/upload-data", query={"label": "normal"}, headers=sent, body=io.BytesIO(body))
        answers.append(serving.handle(request).body)
    return [*answers, *(serving.handle(get(path)).body for path in ("/metrics", "/status", "/openapi.json"))]


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("name", FILES)
def test_no_identifier_leaves_by_any_way(
    name: str, serving: Service, log: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings(record=False):
            answers = ask_everything(serving, FILES[name])
            file = tmp_path / "hunter.dcm"
            file.write_bytes(FILES[name])
            main(["predict", "--json", str(file)])
    finally:
        logging.captureWarnings(False)
    recorder = serving._endpoints._answering._recorder
    assert recorder is not None
    recorder.flush()
    printed = capsys.readouterr()
    stored = {str(path.relative_to(tmp_path)): path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}

    assert any("predictions" in key for key in stored), "records were to be looked at, too"
    assert '"route"' in log.getvalue(), "log lines were to be looked at, too"
    assert [found_in(answer) for answer in answers] == [[]] * len(answers)
    assert found_in(log.getvalue()) == []
    assert {key: found_in(key) + found_in(content) for key, content in stored.items() if found_in(key) + found_in(content)} == {}
    # The terminal names the file as it was given, and that alone.
    assert found_in(printed.out.replace(str(file), "")) == []
    assert found_in(printed.err) == []


def test_what_is_searched_for_can_be_found() -> None:
    for word in (MARK, DIGITS, "19870604", "19401122", "20240229", "121314.987654", "083Y"):
        assert word.encode() in SOUND
    assert found_in(SOUND)


def test_one_of_the_files_is_refused_by_the_guard(serving: Service) -> None:
    """Else the answers of the guard were not searched."""
    assert read(serving.handle(post(FILES["that the guard refuses"])))["status"] == "rejected"
    assert read(serving.handle(post(FILES["that the guard refuses"], "", {"guard": "advise"})))["status"] == "ok"


@pytest.mark.parametrize("name", ["sound", "that the guard refuses", "with text in the picture"])
def test_preview_holds_the_pixels_and_nothing_else(name: str, serving: Service) -> None:
    answer = preview(serving, FILES[name])

    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    assert found_in(str(answer.headers)) == []
    chunks, at = [], 8
    while at < len(answer.body):
        length = int.from_bytes(answer.body[at : at + 4], "big")
        chunks.append(answer.body[at + 4 : at + 8])
        at += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("name", ["of damaged elements", "in a character set of its own"])
def test_pydicom_by_itself_would_have_quoted(name: str) -> None:
    """Else the test above shows nothing: these files make pydicom warn with what stands in them, or raise it."""
    import pydicom

    said = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said.append(str(pydicom.dcmread(io.BytesIO(FILES[name]))))
        except Exception as error:
            said.append(str(error))
    assert found_in(" ".join([*said, *(str(warning.message) for warning in caught)]))
