"""`pneumonia predict` on pictures that the guard warns of or refuses."""

from pathlib import Path

import msgspec
import pytest

from cli.main import main
from core import phantom
from tests.contract import guard_cases
from tests.support import packages

Capture = pytest.CaptureFixture[str]
OK, SOME_FAILED = 0, 1


def test_package_without_a_guard_is_said_to_have_checked_nothing(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a.jpg").write_bytes(phantom.jpeg())

    assert main(["predict", "--model", str(packages.copy(tmp_path)), str(tmp_path / "a.jpg")]) == OK

    assert "Not checked" in capsys.readouterr().out


def test_guard_says_in_words_what_it_warns_of_and_refuses(tmp_path: Path, capsys: Capture) -> None:
    guarded = str(packages.guarded(tmp_path))
    for name, data in {"a.jpg": phantom.jpeg(), "b.png": guard_cases.faint(), "c.png": guard_cases.blank()}.items():
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / name) for name in ("a.jpg", "b.png", "c.png")]

    assert main(["predict", "--model", guarded, *files[:2]]) == OK
    _, accepted, warned, *_ = capsys.readouterr().out.splitlines()
    assert "guard:" not in accepted
    assert "guard:" in warned
    assert "it has hardly any contrast" in warned

    assert main(["predict", "--model", guarded, *files]) == SOME_FAILED
    told = capsys.readouterr().out
    row = next(line for line in told.splitlines() if line.startswith(files[2]))
    assert "refused" in row
    assert "it is all of one grey" in row
    assert "--guard advise reads them all the same" in told

    assert main(["predict", "--model", guarded, "--guard", "advise", *files]) == OK
    assert "refused  " not in capsys.readouterr().out

    assert main(["predict", "--model", guarded, "--json", files[2]]) == SOME_FAILED
    answer = msgspec.json.decode(capsys.readouterr().out)
    assert answer["status"] == "rejected"
    assert "blank_picture" in answer["guard"]["reasons"]
    assert "pneumonia" not in answer
