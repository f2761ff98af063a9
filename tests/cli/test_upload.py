"""`pneumonia upload` against a real server with a store in a folder."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import upload
from cli.main import main
from core import phantom
from core.store import open_store
from core.uploads import counted
from tests.contract.doors import HttpDoor, google
from tests.support.pictures import chest, encode
from tests.support.ports import free_port

TOKEN = "an-admin-token"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def door(kept: Path) -> Iterator[HttpDoor]:
    with google({"PNEUMONIA_STORE": kept.as_uri(), "PNEUMONIA_ADMIN_TOKEN": TOKEN}) as opened:
        yield opened


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Pictures in folders named after labels, and files that are none."""
    for folder in ("NORMAL", "viral-pneumonia/below"):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(upload.MOST_FILES + 1):
        (tmp_path / "NORMAL" / f"IM-{number:04d}.jpeg").write_bytes(phantom.jpeg(number))
    (tmp_path / "viral-pneumonia" / "below" / "a.PNG").write_bytes(encode(chest(), "PNG"))
    (tmp_path / "NORMAL" / "notes.txt").write_text("not a picture")
    return tmp_path


@pytest.fixture(autouse=True)
def token(no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PNEUMONIA_ADMIN_TOKEN", TOKEN)
    monkeypatch.setattr(upload, "PAUSE_S", 0.0)


def send(door: HttpDoor, folder: Path, *more: str) -> int:
    return main(["upload", str(folder), "--url", f"http://127.0.0.1:{door.port}/", *more])


def test_folder_is_stored_and_sending_it_again_stores_nothing(
    door: HttpDoor, kept: Path, labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(door, labelled) == 0
    assert capsys.readouterr().out == "18 stored\n"
    there = {found.key for found in counted(open_store(kept.as_uri()))}
    assert {key.split("/")[1] for key in there} == {"normal", "viral-pneumonia"}

    assert send(door, labelled) == 0
    assert capsys.readouterr().out == "18 stored before\n"
    assert {found.key for found in counted(open_store(kept.as_uri()))} == there


def test_refused_file_is_named_and_the_others_are_stored(door: HttpDoor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpeg").write_bytes(b"text")
    (tmp_path / "b.jpeg").write_bytes(phantom.jpeg(101))

    assert send(door, tmp_path, "--label", "normal") == 1

    said = capsys.readouterr()
    assert said.out == "1 stored, 1 refused\n"
    assert re.fullmatch(r".*a\.jpeg: not_a_picture: Expected .*\n", said.err)


def test_only_file_that_is_refused_is_no_reason_to_stop(door: HttpDoor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "normal").mkdir()
    (tmp_path / "viral pneumonia").mkdir()
    for folder, data in {"normal": phantom.jpeg(102), "viral pneumonia": phantom.jpeg(102)}.items():
        (tmp_path / folder / "a.jpeg").write_bytes(data)

    assert send(door, tmp_path) == 1

    said = capsys.readouterr()
    assert said.out == "1 stored, 1 stored under another label\n"
    assert "label_conflict" in said.err


def test_folder_that_is_no_label_stops_the_upload(door: HttpDoor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nromal").mkdir()
    (tmp_path / "nromal" / "a.jpeg").write_bytes(phantom.jpeg(103))

    assert send(door, tmp_path) == 2
    assert "error: unknown_label: " in capsys.readouterr().err


def test_wrong_token_is_told_and_not_shown(
    door: HttpDoor, labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PNEUMONIA_ADMIN_TOKEN", "wr0ng")

    assert send(door, labelled) == 2

    said = capsys.readouterr().err
    assert "error: admin_unauthorized: " in said
    assert "wr0ng" not in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--url", "localhost:8080"], "invalid_parameter"), (["--url", "http://127.0.0.1:{port}"], "unreachable")],
    ids=["no URL", "nobody there"],
)
def test_service_that_cannot_be_reached_is_told(
    labelled: Path, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["upload", str(labelled), *(argument.format(port=free_port()) for argument in arguments)]) == 2
    assert f"error: {code}: " in capsys.readouterr().err


def test_token_comes_from_the_environment_alone(
    labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PNEUMONIA_ADMIN_TOKEN")

    assert main(["upload", str(labelled), "--url", "http://127.0.0.1:1"]) == 2
    assert "PNEUMONIA_ADMIN_TOKEN" in capsys.readouterr().err


def test_folder_without_pictures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upload", str(tmp_path), "--url", "http://127.0.0.1:1"]) == 2
    assert "error: no_picture: " in capsys.readouterr().err


def test_terminal_sees_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = upload.Progress(4)

    progress.step(2, Counter(stored=2))
    progress.say("a.jpeg: refused")
    progress.close()

    said = capsys.readouterr().err
    assert "█" * 15 + "░" * 15 + " 2/4  2 stored" in said
    assert "\r\x1b[Ka.jpeg: refused\n" in said
