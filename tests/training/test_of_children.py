"""Whom a package says that it knows: children, others, or nobody said."""

from pathlib import Path

import pytest

from cli.main import main
from core import manifest
from tests.support.packages import Json, baked, variant
from tests.training.conftest import BACTERIAL, VIRAL, draw
from tests.training.elsewhere import save_keras, sigmoid_with_gap
from training import card_commands, claims, dataset, guard

pytestmark = pytest.mark.train

CHILDREN = "Trained on children; adults, and other hospitals, ages and detectors than theirs are untested."


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set whose names are not those of the public one."""
    folder = tmp_path_factory.mktemp("others")
    for number in range(4):
        draw(folder / f"normal/{number}.jpeg", number)
        draw(folder / f"bacterial-pneumonia/{number}.jpeg", 100 + number, BACTERIAL)
        draw(folder / f"viral-pneumonia/{number}.jpeg", 200 + number, VIRAL)
    return folder


def train(data: Path, folder: Path, *options: str) -> manifest.Manifest:
    command = ["train", str(data), "--arch", "dense", "--head-epochs", "0", "--epochs", "1", "--batch-size", "4", "--tracking", "none"]
    assert main([*command, "--work", str(folder / "work"), "--out", str(folder / "package"), *options]) == 0
    return manifest.read(folder / "package")[0]


def test_a_training_knows_what_a_person_says_and_what_it_goes_on_from(others: Path, tmp_path: Path) -> None:
    said = train(others, tmp_path / "first", "--weights", "none", "--of-children", "--keep-keras")
    assert (said.of_children, said.intended_use, said.limits[0]) == (True, claims.USE_FOR_CHILDREN, CHILDREN)
    assert "--of-children" in card_commands.of_network(said)
    further = train(others, tmp_path / "further", "--weights", str(tmp_path / "first/package"))
    assert (further.of_children, further.limits[0]) == (True, CHILDREN)
    assert (
        main(["export", str(tmp_path / "first/work"), "--dataset", str(others), "--out", str(tmp_path / "again"), "--tracking", "none"])
        == 0
    )
    assert manifest.read(tmp_path / "again")[0].of_children is True  # the run has not forgotten


def test_a_run_is_exported_with_what_a_person_says(others: Path, tmp_path: Path) -> None:
    unsaid = train(others, tmp_path, "--weights", "none")
    assert (unsaid.of_children, CHILDREN in unsaid.limits) == (False, False)
    asked = ["export", str(tmp_path / "work"), "--dataset", str(others), "--of-children", "--out", str(tmp_path / "new")]
    assert main([*asked, "--tracking", "none"]) == 0
    written = manifest.read(tmp_path / "new")[0]
    assert (written.of_children, written.limits[0]) == (True, CHILDREN)


def test_a_package_is_put_right_by_export(others: Path, tmp_path: Path) -> None:
    unsaid = claims.of(dataset.index(others, progress=False))
    guarded = [guard.GUARDED_FOR_CHILDREN if limit == guard.UNGUARDED else limit for limit in unsaid.limits]

    def before(content: Json) -> None:
        content.update(intended_use=unsaid.intended_use, limits=guarded)
        content.pop("of_children", None)

    package = variant(tmp_path, before)
    for option, expected in (
        ("--of-children", (True, CHILDREN, claims.USE_FOR_CHILDREN)),
        ("--no-of-children", (False, unsaid.limits[0], unsaid.intended_use)),
    ):
        assert main(["export", str(package), option, "--out", str(tmp_path / option), "--tracking", "none"]) == 0
        package = tmp_path / option
        written = manifest.read(package)[0]
        assert (written.of_children, written.limits[0], written.intended_use) == expected
        assert (guard.GUARDED_FOR_CHILDREN in written.limits, guard.GUARDED in written.limits) == (expected[0], not expected[0])


def test_the_public_data_set_is_of_children_whatever_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(baked()), "--no-of-children", "--out", str(tmp_path / "new"), "--tracking", "none"]) == 2
    assert "error: invalid_option: Expected a package of other pictures" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("said", [False, True])
def test_a_model_from_elsewhere_is_for_children_where_that_is_said(said: bool, tmp_path: Path) -> None:
    theirs = save_keras(sigmoid_with_gap(), tmp_path)
    asked = ["package", str(theirs), "--labels", "normal,pneumonia", "--out", str(tmp_path / "package"), "--tracking", "none"]
    assert main([*asked, *(["--of-children"] if said else [])]) == 0
    written = manifest.read(tmp_path / "package")[0]
    assert written.of_children is said
    text = (tmp_path / "package/CARD.md").read_text("utf-8")
    for sentence in ("on a frontal chest X-ray of a child", "Said to be trained on children; adults are untested.", "--of-children"):
        assert (sentence in text) is said


def test_what_is_said_of_a_brought_model_comes_and_goes_once(tmp_path: Path) -> None:
    theirs = save_keras(sigmoid_with_gap(), tmp_path)
    asked = ["package", str(theirs), "--labels", "normal,pneumonia", "--out", str(tmp_path / "package"), "--tracking", "none"]
    assert main(asked) == 0
    unsaid = manifest.read(tmp_path / "package")[0]
    said = claims.of_patients(unsaid, of_children=True)
    assert claims.of_patients(said, of_children=True) == said
    assert [limit for limit in said.limits if "children" in limit] == ["Said to be trained on children; adults are untested."]
    assert claims.of_patients(said, of_children=False) == unsaid
