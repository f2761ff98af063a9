"""`pneumonia predict` as a person or a script meets it: what is printed, and the exit status."""

import io
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.main import main
from core import phantom
from core.api import Service
from core.contract import NOTICE
from core.shares import percent
from tests.support import packages
from tests.support.requests import get, post, read

Capture = pytest.CaptureFixture[str]
OK, SOME_FAILED, CANNOT = 0, 1, 2


def json_lines(capsys: Capture) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.err == ""
    return [msgspec.json.decode(line) for line in captured.out.splitlines()]


def give_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_table_says_for_a_picture_what_it_shows_and_how_it_was_decided(folder: Path, capsys: Capture, service: Service) -> None:
    file = folder / "a.jpg"
    answer = read(service.handle(post(file.read_bytes())))

    assert main(["predict", str(file)]) == OK

    heading, row, empty, model, *_, notice = capsys.readouterr().out.splitlines()
    assert heading.split() == ["FILE", "DECISION", "PNEUMONIA", "IF", "SO,", "MOST", "PROBABLY"]
    assert row.startswith(f"{file}  {answer['pneumonia']['decision']}")
    assert percent(answer["pneumonia"]["probability"]) in row
    assert empty == ""
    assert answer["model"]["version"] in model
    assert answer["pneumonia"]["operating_point"]["name"] in model
    assert "measured sensitivity" in model
    assert notice == NOTICE


def test_columns_stand_below_their_headings(folder: Path, capsys: Capture) -> None:
    main(["predict", str(folder)])

    heading, *rows = capsys.readouterr().out.splitlines()[:4]
    column = heading.index("DECISION")
    assert {row[column:].split()[0] for row in rows} <= {"positive", "negative", "indeterminate"}


def test_folder_is_read_with_all_below_it_in_order_and_nothing_else(folder: Path, capsys: Capture) -> None:
    assert main(["predict", "--json", str(folder)]) == OK

    files = [line["file"] for line in json_lines(capsys)]
    assert files == [str(folder / name) for name in ("a.jpg", "b.PNG", "below/c.tiff")]


def test_files_and_folders_are_read_in_the_order_given(folder: Path, capsys: Capture) -> None:
    assert main(["predict", "--json", str(folder / "b.PNG"), str(folder / "below"), str(folder / "a.jpg")]) == OK

    assert [Path(line["file"]).name for line in json_lines(capsys)] == ["b.PNG", "c.tiff", "a.jpg"]


def test_json_line_is_the_answer_of_the_service_with_file_in_front(folder: Path, capsys: Capture, service: Service) -> None:
    file = folder / "b.PNG"

    assert main(["predict", "--json", str(file)]) == OK

    text = capsys.readouterr().out
    assert text.startswith('{"file":')
    assert text.count("\n") == 1
    line, wanted = msgspec.json.decode(text), read(service.handle(post(file.read_bytes())))
    assert line.pop("file") == str(file)
    assert list(line) == list(wanted)
    for answer in (line, wanted):
        del answer["request_id"], answer["timing_ms"]
    assert line == wanted


def test_refused_picture_is_a_json_line_of_its_own_with_the_services_words(folder: Path, capsys: Capture, service: Service) -> None:
    file = folder / "notes.txt"

    assert main(["predict", "--json", str(file)]) == SOME_FAILED

    [line] = json_lines(capsys)
    problem = read(service.handle(post(file.read_bytes())))
    assert (line["file"], line["code"], line["detail"]) == (str(file), "not_a_picture", problem["detail"])


def test_one_bad_file_does_not_spoil_the_others(folder: Path, capsys: Capture) -> None:
    names = [folder / "notes.txt", folder / "a.jpg", folder / "missing.jpg"]

    assert main(["predict", *map(str, names)]) == SOME_FAILED

    _, bad, good, missing, *rest = capsys.readouterr().out.splitlines()
    assert "not read" in bad
    assert "not_a_picture: Expected" in bad
    assert "%" in good
    assert "unreadable_file" in missing
    assert rest[-1] == NOTICE


@pytest.mark.parametrize("names", [["notes.txt", "a.jpg"], ["a.jpg", "notes.txt"]], ids=["bad first", "bad last"])
def test_exit_status_tells_of_a_bad_file_wherever_it_stands(folder: Path, names: list[str]) -> None:
    assert main(["predict", *(str(folder / name) for name in names)]) == SOME_FAILED


def test_missing_file_as_json_says_so(folder: Path, capsys: Capture) -> None:
    assert main(["predict", "--json", str(folder / "missing.jpg")]) == SOME_FAILED

    [line] = json_lines(capsys)
    assert (line["status"], line["code"]) == ("error", "unreadable_file")
    assert "No such file" in line["detail"]


def test_only_bad_files_print_no_model(folder: Path, capsys: Capture) -> None:
    assert main(["predict", str(folder / "notes.txt")]) == SOME_FAILED

    assert NOTICE not in capsys.readouterr().out


def test_empty_file_is_refused_as_such(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "empty.jpg").touch()

    assert main(["predict", "--json", str(tmp_path / "empty.jpg")]) == SOME_FAILED

    assert json_lines(capsys)[0]["code"] == "empty_body"


def test_folder_without_pictures_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    assert main(["predict", str(tmp_path)]) == CANNOT

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: no_picture: ")


def test_standard_input_is_read_for_a_dash(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    give_input(monkeypatch, phantom.jpeg(4))

    assert main(["predict", "--json", "-"]) == OK

    [line] = json_lines(capsys)
    assert (line["file"], line["status"]) == ("-", "ok")


def test_empty_standard_input_is_refused(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    give_input(monkeypatch, b"")

    assert main(["predict", "--json", "-"]) == SOME_FAILED

    assert json_lines(capsys)[0]["code"] == "empty_body"


def test_file_name_that_is_no_text_is_read_and_shown(tmp_path: Path, capsys: Capture) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")
    Path(name).write_bytes(phantom.jpeg())

    assert main(["predict", name]) == OK
    assert main(["predict", "--json", name]) == OK

    assert capsys.readouterr().out.count(".jpg") == 2


def test_every_operating_point_of_the_package_may_decide(folder: Path, capsys: Capture, service: Service) -> None:
    for point in read(service.handle(get("/model")))["operating_points"]:
        assert main(["predict", "--json", "--operating-point", point["name"], str(folder / "a.jpg")]) == OK

        used = json_lines(capsys)[0]["pneumonia"]["operating_point"]
        assert (used["name"], used["threshold"]) == (point["name"], point["threshold"])


@pytest.mark.parametrize("options", [["--operating-point", "lucky"], ["--model", "nowhere"]], ids=["operating point", "model"])
@pytest.mark.parametrize("style", [[], ["--json"]], ids=["table", "json"])
def test_what_no_picture_can_help_ends_the_command_at_once(folder: Path, capsys: Capture, options: list[str], style: list[str]) -> None:
    assert main(["predict", *style, *options, str(folder)]) == CANNOT

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {'invalid_parameter' if 'lucky' in options else 'model_unavailable'}: ")
    assert captured.err.count("\n") == 1


def test_broken_model_is_named(tmp_path: Path, folder: Path, capsys: Capture) -> None:
    package = packages.copy(tmp_path)
    (package / "network.tflite").write_bytes(b"altered")

    assert main(["predict", "--model", str(package), str(folder)]) == CANNOT

    assert "network.tflite" in capsys.readouterr().err


def test_another_model_answers(tmp_path: Path, folder: Path, capsys: Capture) -> None:
    package = packages.variant(tmp_path, lambda manifest: manifest.update(version="9.9.9"))

    assert main(["predict", "--model", str(package), "--json", str(folder / "a.jpg")]) == OK

    assert json_lines(capsys)[0]["model"]["version"] == "9.9.9"


def test_model_of_the_environment_answers_unless_another_is_named(
    tmp_path: Path, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PNEUMONIA_MODEL", str(packages.variant(tmp_path, lambda manifest: manifest.update(version="8.8.8"))))

    assert main(["predict", "--json", str(folder / "a.jpg")]) == OK
    assert json_lines(capsys)[0]["model"]["version"] == "8.8.8"

    assert main(["predict", "--json", "--model", str(packages.baked()), str(folder / "a.jpg")]) == OK
    assert json_lines(capsys)[0]["model"]["version"] != "8.8.8"


def test_key_of_a_front_door_does_not_matter_at_a_terminal(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PNEUMONIA_API_KEY", "s3cret")

    assert main(["predict", "--json", str(folder / "a.jpg")]) == OK

    assert json_lines(capsys)[0]["status"] == "ok"


def test_wrong_setting_of_the_environment_is_named(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PNEUMONIA_INTERPRETERS", "many")

    assert main(["predict", str(folder)]) == CANNOT

    (told,) = capsys.readouterr().err.splitlines()  # no line of a service's log beside it
    assert "PNEUMONIA_INTERPRETERS" in told


def test_heat_map_is_added_to_json(folder: Path, capsys: Capture) -> None:
    assert main(["predict", "--json", "--heatmap", str(folder / "a.jpg")]) == OK

    assert json_lines(capsys)[0]["explanation"]["heatmap_png_b64"]


def test_body_larger_than_a_front_door_takes_is_read(tmp_path: Path, capsys: Capture) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(phantom.jpeg() + bytes(40 * 2**20))  # what follows the end of a JPEG is not looked at

    assert main(["predict", "--json", str(large)]) == OK

    assert json_lines(capsys)[0]["status"] == "ok"
