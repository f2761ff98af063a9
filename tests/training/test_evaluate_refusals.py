"""What `pneumonia evaluate` refuses, in one line that says what was expected."""

import os
from pathlib import Path

import pytest

from tests.support.labelled import MODEL, draw_folder, evaluate
from training import reports
from training.errors import DiskFull

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("labelled"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere", "{data}"], "model_unavailable"),
        ([MODEL, "nowhere"], "dataset_missing"),
        ([MODEL, "{data}/NORMAL"], "no_class_folders"),
        ([MODEL, "{data}", "--operating-point", "lucky"], "invalid_parameter"),
        ([MODEL, "{good}", "--held-out"], "not_trained_on"),
        ([MODEL, "{data}", "--html", "nowhere/e.html"], "cannot_write"),
        ([MODEL, "{data}", "--json", "{data}"], "cannot_write"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_evaluated_is_one_line_and_exit_code_2(
    arguments: list[str], code: str, folder: Path, phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, out, err = evaluate(capsys, *(argument.format(data=folder, good=phantoms) for argument in arguments))
    assert (exit_code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"error: {code}: ")


def test_nothing_readable_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "NORMAL").mkdir()
    assert evaluate(capsys, MODEL, str(tmp_path))[0] == 2
    (tmp_path / "NORMAL/a.jpg").touch()
    code, _, err = evaluate(capsys, MODEL, str(tmp_path))
    assert code == 2
    assert "error: nothing_to_evaluate: " in err
    assert "1 files, none of them readable (not_a_picture)" in err


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "e.json"
    file.write_text("before")
    (tmp_path / f".e.json.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"Expected room for .*e\.json. Received: No space left"):
        reports.write(file, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["e.json"]
    assert file.read_text() == "before"
    reports.write(file, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["e.json"]
    assert file.read_text() == "after"
