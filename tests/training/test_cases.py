"""Any folder per class is a data set, whatever its names say."""

from pathlib import Path

import msgspec
import pytest

from core.classifier import Classifier
from core.manifest import Label, Manifest
from training import cases, errors

pytestmark = pytest.mark.train

BACTERIAL, VIRAL = "bacterial pneumonia", "viral pneumonia"


@pytest.fixture(scope="module")
def manifest(classifier: Classifier) -> Manifest:
    return classifier.manifest


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def facts(folder: Path, manifest: Manifest) -> dict[str, tuple[bool, str | None, str | None]]:
    return {case.shown: (case.pneumonia, case.kind, case.patient) for case in cases.find(folder, manifest).cases}


def test_names_of_the_public_set_tell_kind_and_patient(tmp_path: Path, manifest: Manifest) -> None:
    touch(tmp_path, "NORMAL/IM-0001-0001.jpeg", "PNEUMONIA/person3_virus_17.jpeg", "PNEUMONIA/person3_bacteria_18.jpeg")
    assert facts(tmp_path, manifest) == {
        "NORMAL/IM-0001-0001.jpeg": (False, "normal", "IM-0001"),
        "PNEUMONIA/person3_bacteria_18.jpeg": (True, BACTERIAL, "person3_bacteria"),
        "PNEUMONIA/person3_virus_17.jpeg": (True, VIRAL, "person3_virus"),
    }


def test_names_that_say_nothing_are_taken_as_they_are(tmp_path: Path, manifest: Manifest) -> None:
    touch(tmp_path, "normal/a.png", "Pneumonia/b.png", "Pneumonia/deeper/c.png")
    assert facts(tmp_path, manifest) == {
        "Pneumonia/b.png": (True, None, None),
        "Pneumonia/deeper/c.png": (True, None, None),
        "normal/a.png": (False, "normal", None),
    }


def test_a_folder_may_name_the_kind(tmp_path: Path, manifest: Manifest) -> None:
    touch(tmp_path, "BACTERIA/a.png", "viral/person9_virus_1.jpeg", "bacterial_pneumonia/c.png")
    assert facts(tmp_path, manifest) == {
        "BACTERIA/a.png": (True, BACTERIAL, None),
        "bacterial_pneumonia/c.png": (True, BACTERIAL, None),
        "viral/person9_virus_1.jpeg": (True, VIRAL, "person9_virus"),
    }


def test_a_package_of_two_labels_has_no_kinds(tmp_path: Path, manifest: Manifest) -> None:
    labels = (Label(name="normal", code="17621005"), Label(name="pneumonia", code="233604007"))
    binary = msgspec.structs.replace(manifest, labels=labels)
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/b.png")
    assert facts(tmp_path, binary) == {"NORMAL/a.png": (False, "normal", None), "PNEUMONIA/b.png": (True, None, None)}


def test_other_folders_are_told_and_passed_over_like_hidden_files(
    tmp_path: Path, manifest: Manifest, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "NORMAL/a.png", "NORMAL/.DS_Store", "COVID/b.png", ".cache/c.png", "readme.txt")
    found = cases.find(tmp_path, manifest)
    assert [case.shown for case in found.cases] == ["NORMAL/a.png"]
    assert found.ignored_folders == ("COVID",)
    assert "passed over: Expected a folder that holds NORMAL and PNEUMONIA" in caplog.text
    assert "Received as well: COVID." in caplog.text


def test_a_name_that_is_not_text_is_shown_with_escapes(tmp_path: Path, manifest: Manifest) -> None:
    touch(tmp_path, "NORMAL/caf\udce9.png")
    assert list(facts(tmp_path, manifest)) == ["NORMAL/caf\\xe9.png"]


@pytest.mark.parametrize(
    ("names", "error", "received"),
    [
        (["COVID/a.png", "TB/b.png"], errors.NoClassFolders, "Received: COVID, TB in"),
        (["a.png"], errors.NoClassFolders, "Received: no folder at all in"),
    ],
    ids=["other classes", "no folder"],
)
def test_a_folder_without_classes_is_refused(
    names: list[str], error: type[errors.TrainingError], received: str, tmp_path: Path, manifest: Manifest
) -> None:
    with pytest.raises(error, match=received):
        cases.find(touch(tmp_path, *names), manifest)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(errors.DatasetMissing, match="which is no folder"):
        cases.find(tmp_path / "nowhere", manifest)
