"""DICOM through the whole service: the same answer as the same picture in another format, the real files, and what is stored."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from core import images, phantom
from core.api import Service
from core.bootstrap import bootstrap
from core.classifier import Classifier, log_odds
from core.contract import Request
from core.store import open_store
from core.uploads import Record, counted
from tests.support import dicoms, packages
from tests.support.dicoms import deep, file
from tests.support.pictures import encode
from tests.support.requests import Json, get, post, read

NORMAL = 1  # by name after bacterial pneumonia
CLOSE = 0.02  # what the same picture in another format may move a probability by
TOKEN = "a-token"


def formats(grey: npt.NDArray[np.uint8]) -> Mapping[str, bytes]:
    return {
        "PNG": encode(grey, "PNG"),
        "DICOM of 8 bits": file(grey),
        "DICOM of 12 bits, MONOCHROME1": file(4095 - deep(grey, 12), 12, PhotometricInterpretation="MONOCHROME1"),
        "DICOM of 16 bits, of which 12 are used": file(deep(grey, 12), 16),
        "DICOM with a window": file(deep(grey, 14), 14, WindowCenter=8192, WindowWidth=16384),
        "DICOM of JPEG 2000": file(deep(grey, 16), 16, dicoms.J2K_LOSSLESS),
    }


def probabilities(service: Service, data: bytes) -> list[float]:
    answer = read(service.handle(post(data, "")))
    assert answer["status"] == "ok", answer
    return [finding["probability"] for finding in sorted(answer["findings"], key=lambda finding: str(finding["label"]))]


def apart(service: Service, jpeg: bytes) -> dict[str, float]:
    """How far the probabilities of other formats are from those of the JPEG, at most."""
    original, others = every_format(service, jpeg)
    return {name: max(abs(one - other) for one, other in zip(original, found, strict=True)) for name, found in others.items()}


def every_format(service: Service, jpeg: bytes) -> tuple[list[float], dict[str, list[float]]]:
    """The probabilities of a JPEG, and those of other formats by their name."""
    grey = np.asarray(images.decode(jpeg).grey, dtype=np.uint8)
    return probabilities(service, jpeg), {name: probabilities(service, data) for name, data in formats(grey).items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_phantom_gets_the_same_probabilities_in_every_format(service: Service, seed: int) -> None:
    moved = apart(service, phantom.jpeg(seed))

    assert {name: distance for name, distance in moved.items() if distance > CLOSE} == {}


def test_real_originals_get_the_same_answer_in_every_format(service: Service, classifier: Classifier, data: Path) -> None:
    originals = sorted((data / "originals").rglob("*.jp*g"))[::4]
    if not originals:
        pytest.skip("needs original pictures in ../shared/data/originals")

    # A large JPEG is decoded scaled, the other formats whole: in log-odds that is the same step at every probability.
    margin, moved = classifier.manifest.input.draft_margin, {}
    for path in originals:
        original, others = every_format(service, path.read_bytes())
        moved[path.name] = max(abs(log_odds(original[NORMAL]) - log_odds(found[NORMAL])) for found in others.values())

    assert {name: distance for name, distance in moved.items() if distance > margin} == {}
    assert np.median(list(moved.values())) < margin / 3


def test_reduced_jpeg_2000_moves_the_log_odds_by_less_than_the_margin(classifier: Classifier, data: Path) -> None:
    originals = sorted((data / "originals").rglob("*.jp*g"))[::4]
    if not originals:
        pytest.skip("needs original pictures in ../shared/data/originals")

    def log_odds(encoded: bytes, draft_px: tuple[int, int] | None) -> float:
        found, _ = classifier.probabilities(images.decode(encoded, draft_px=draft_px).grey)
        normal = float(found[classifier.manifest.negative_index])
        return float(np.log((1.0 - normal) / normal))

    moved = []
    for path in originals:
        encoded = file(np.asarray(images.decode(path.read_bytes()).grey, np.uint8), 8, dicoms.J2K_LOSSLESS)
        moved.append(abs(log_odds(encoded, None) - log_odds(encoded, images.draft_px(classifier.manifest.input))))
    assert max(moved) <= classifier.manifest.input.draft_margin


def test_real_files_are_read_or_refused_with_the_reason(service: Service, data: Path) -> None:
    folder = data / "dicom"
    if not folder.is_dir():
        pytest.skip("needs real DICOM files in ../shared/data/dicom")
    answers = {path.stem: read(service.handle(post(path.read_bytes(), "application/dicom"))) for path in sorted(folder.glob("*.dcm"))}

    assert answers["wg04_ct1_not_a_radiograph_j2k"]["code"] == "not_a_radiograph"
    read_ones = {name: answer for name, answer in answers.items() if answer["status"] == "ok"}
    negative = "rsna_chest_pa_relabelled_monochrome1"
    assert set(read_ones) - {negative} == {"rsna_chest_pa_jpeg_baseline", "wg04_rg1_thorax_monochrome1_j2k"}
    assert answers[negative]["guard"]["verdict"] in ("warn", "refuse")  # rightly read, it is a negative
    assert all("patient_is_adult" in answer["image"]["warnings"] for answer in read_ones.values())
    assert [answers["wg04_rg1_thorax_monochrome1_j2k"]["image"][side] for side in ("width_px", "height_px")] == [1841, 1955]


@pytest.mark.parametrize(("of_children", "told"), [(True, ["patient_is_adult"]), (None, ["patient_is_adult"]), (False, [])])
def test_an_adult_is_told_of_where_children_taught_the_model(of_children: bool | None, told: list[str], tmp_path: Path) -> None:
    def say(manifest: Json) -> None:
        manifest.pop("of_children", None)
        manifest |= {} if of_children is None else {"of_children": of_children}

    serving = bootstrap({"PNEUMONIA_MODEL": str(packages.variant(tmp_path, say))})
    answer = read(serving.handle(post(file(dicoms.chest(), PatientAge="081Y"), "application/dicom")))
    assert answer["image"]["warnings"] == told
    assert read(serving.handle(get("/model")))["for_children"] is bool(told)


def test_relabelled_file_gives_the_negative(data: Path) -> None:
    folder = data / "dicom"
    if not folder.is_dir():
        pytest.skip("needs real DICOM files in ../shared/data/dicom")
    names = ("rsna_chest_pa_jpeg_baseline.dcm", "rsna_chest_pa_relabelled_monochrome1.dcm")
    positive, negative = (images.decode((folder / name).read_bytes()).grey for name in names)

    assert np.array_equal(255 - positive, negative)


def test_real_inverted_file_has_a_dark_surround_and_a_bright_spine(data: Path) -> None:
    path = data / "dicom" / "wg04_rg1_thorax_monochrome1_j2k.dcm"
    if not path.is_file():
        pytest.skip("needs real DICOM files in ../shared/data/dicom")
    grey = images.decode(path.read_bytes()).grey
    height, width = grey.shape
    lung = grey[height * 4 // 10 : height // 2, width // 4 : width * 3 // 10].mean()
    middle = grey[height * 6 // 10 : height * 7 // 10, width * 45 // 100 : width * 55 // 100].mean()

    assert middle > lung + 20


@pytest.fixture
def serving(tmp_path: Path) -> Service:
    return bootstrap({"PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_ADMIN_TOKEN": TOKEN})


def upload(serving: Service, data: bytes, label: str = "normal") -> Json:
    sent = {"content-type": "application/dicom", "content-length": str(len(data)), "x-admin-token": TOKEN}
    return read(serving.handle(Request(method="POST", path="/upload-data", query={"label": label}, headers=sent, body=io.BytesIO(data))))


@pytest.mark.parametrize("syntax", [dicoms.EXPLICIT, dicoms.J2K_LOSSLESS])
def test_upload_is_kept_as_the_picture_alone(serving: Service, tmp_path: Path, syntax: str) -> None:
    grey = phantom.chest(3, 1024)
    data = file(deep(grey, 16), 16, syntax)

    answer = upload(serving, data)["uploads"][0]

    kept, record = sorted(path for path in (tmp_path / "uploads").rglob("*") if path.is_file())[::-1]
    assert (answer["outcome"], answer["format"], kept.name) == ("stored", "dicom", f"{answer['sha256']}.png")
    with Image.open(kept) as image:
        assert (image.mode, image.size, image.info) == ("L", (1024, 1024), {})
        assert np.array_equal(np.asarray(image), grey)
    known = msgspec.json.decode(record.read_bytes(), type=Record, strict=True)
    assert (known.sha256, known.format, known.size_bytes) == (answer["sha256"], "dicom", kept.stat().st_size)
    assert answer["sha256"] != hashlib.sha256(data).hexdigest()
    assert len(list(counted(open_store(tmp_path.as_uri())))) == 1


def test_same_picture_with_another_header_is_the_same_upload(serving: Service) -> None:
    pixels = deep(phantom.chest(3), 12)
    first = upload(serving, file(pixels, 12))["uploads"][0]

    again = upload(serving, file(pixels, 12))["uploads"][0]
    renamed = upload(serving, file(pixels, 12, dicoms.RLE, PatientName="Jane^Doe", SOPInstanceUID="1.9.8"))["uploads"][0]

    assert [again["outcome"], renamed["outcome"]] == ["duplicate", "duplicate"]
    assert first["sha256"] == again["sha256"] == renamed["sha256"]
    assert upload(serving, file(pixels, 12, PatientID="7"), "viral pneumonia")["code"] == "label_conflict"


@pytest.mark.parametrize(("seed", "close"), [(phantom.SAMPLE, 0.005), (3, CLOSE)])  # the second is nearer to where the network doubts
def test_stored_picture_gets_the_answer_of_the_file(serving: Service, tmp_path: Path, seed: int, close: float) -> None:
    data = file(deep(phantom.chest(seed), 12), 12)
    upload(serving, data)
    kept = next((tmp_path / "uploads").rglob("*.png")).read_bytes()

    moved = [abs(one - other) for one, other in zip(probabilities(serving, data), probabilities(serving, kept), strict=True)]
    assert max(moved) < close
