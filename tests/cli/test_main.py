"""The command itself: help that needs nothing, and an end without noise however it comes."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core
from cli.main import main
from core import phantom

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "cli.main"]
HELPS = [
    ["--help"],
    *(
        [command, "--help"]
        for command in ("predict", "phantom", "explore", "fetch-data", "train", "crossval", "compare", "upload", "models", "drift")
    ),
]
HEAVY = (
    "numpy",
    "PIL",
    "pooch",
    "ai_edge_litert",
    "tensorflow",
    "keras",
    "sklearn",
    "mlflow",
    "matplotlib",
    "functions_framework",
    "azure",
)


def test_phantom_is_written_and_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chest.jpg"

    assert main(["phantom", str(file), "--seed", "5"]) == 0

    assert capsys.readouterr().out == f"wrote {file}\n"
    assert file.read_bytes() == phantom.jpeg(5)
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        assert np.asarray(image).shape == (phantom.SIDE_PX, phantom.SIDE_PX)


def test_phantom_without_a_seed_is_the_sample_picture(tmp_path: Path) -> None:
    file = tmp_path / "chest.jpg"

    assert main(["phantom", str(file)]) == 0

    assert file.read_bytes() == phantom.jpeg()


def test_phantom_refuses_to_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "precious.jpg"
    file.write_bytes(b"precious")

    assert main(["phantom", str(file)]) == 2

    assert file.read_bytes() == b"precious"
    assert capsys.readouterr().err.startswith("error: cannot_write: ")


def test_phantom_in_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phantom", str(tmp_path / "nowhere" / "chest.jpg")]) == 2

    assert "nowhere" in capsys.readouterr().err


def test_labelled_phantoms_are_as_many_normal_as_ill_and_the_same_every_time(tmp_path: Path) -> None:
    def files(*options: str) -> dict[str, bytes]:
        folder = tmp_path / "-".join(("drawn", *options))
        assert main(["phantom", str(folder), "--labelled", "8", *options]) == 0
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpeg")}

    drawn = files()
    labels = [name.partition("/")[0] for name in drawn]
    assert {label: labels.count(label) for label in labels} == {"normal": 4, "bacterial-pneumonia": 2, "viral-pneumonia": 2}
    assert len(set(drawn.values())) == 8
    assert drawn["normal/phantom-0000.jpeg"] == phantom.jpeg(0)
    assert files("--seed", "0") == drawn
    assert not set(files("--seed", "1").values()) & set(drawn.values())


@pytest.mark.parametrize("count", ["0", "-1", "many", "10001"])
def test_labelled_phantoms_are_counted(count: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["phantom", str(tmp_path / "x"), "--labelled", count])

    assert "Expected a whole number from 1 to 10000" in capsys.readouterr().err


def test_labelled_phantoms_go_into_a_new_folder_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phantom", str(tmp_path), "--labelled", "4"]) == 2

    assert capsys.readouterr().err.startswith("error: cannot_write: ")
    assert list(tmp_path.iterdir()) == []


def test_phantom_becomes_a_prediction(tmp_path: Path) -> None:
    file = tmp_path / "chest.jpg"

    assert main(["phantom", str(file)]) == 0
    assert main(["predict", str(file)]) == 0


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["predict"], ["phantom"], ["predict", "--nonsense", "x"]], ids=" ".join)
def test_wrong_command_line_is_explained(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)

    assert ended.value.code == 2
    assert "usage: pneumonia" in capsys.readouterr().err


@pytest.mark.parametrize("argv", HELPS, ids=" ".join)
def test_help_says_what_to_do(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)

    assert ended.value.code == 0
    assert "usage: pneumonia" in capsys.readouterr().out


def test_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert core.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("argv", HELPS, ids=" ".join)
def test_help_imports_nothing_heavy(argv: list[str]) -> None:
    code = f"import contextlib, sys\nfrom cli.main import main\nwith contextlib.suppress(SystemExit): main({argv})\nprint(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert loaded.isdisjoint(HEAVY)


def test_process_answers_and_says_nothing_else(folder: Path) -> None:
    done = subprocess.run([*COMMAND, "predict", "--json", str(folder)], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 3


@pytest.mark.parametrize("style", [[], ["--json"]], ids=["table", "json"])
@pytest.mark.parametrize("lines", [0, 1], ids=["before the first line", "after the first line"])
def test_reader_that_goes_away_ends_it_without_noise(folder: Path, style: list[str], lines: int) -> None:
    files = [str(folder / "a.jpg")] * 2000  # more than a pipe holds
    process = subprocess.Popen([*COMMAND, "predict", *style, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    _, noise = process.communicate(timeout=60)

    assert noise == b""
    assert process.returncode == 0
