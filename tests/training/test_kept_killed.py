"""Commands of the lab killed while they answer, killed again, and run to the end: the same as if nobody had killed them."""

import csv
import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest
from PIL import Image

from cli import resuming
from cli.main import main
from core import manifest, phantom
from tests.support.labelled import MODEL
from tests.support.nurseries import Nursery
from tests.support.packages import variant
from tests.training.chests import draw_dataset
from tests.training.conftest import BACTERIAL
from tests.training.elsewhere import TWO, save_keras
from training.kept import Kept

pytestmark = pytest.mark.train

Capture = pytest.CaptureFixture[str]
LIMIT_S = 300.0
SIDE_PX = 768
ANSWERS = Path("runs/answers")
GOING_ON = "going on after an interruption: {} answers are there already"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms, each of a patient of its own and enough of them to calibrate on, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        for name, seed, opacities in ((f"NORMAL/{number}.jpeg", number, ()), (f"PNEUMONIA/{number}.jpeg", 100 + number, BACTERIAL)):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(phantom.chest(seed, SIDE_PX, opacities)).save(path, "JPEG", quality=90)
    (folder / "NORMAL/notes.txt").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Chests enough for a guard, and a model from elsewhere that calls what is bright pneumonia."""
    folder = tmp_path_factory.mktemp("given")
    layers = [keras.Input((64, 64, 1)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    layers[-1].set_weights([np.array([[40.0]]), np.array([-16.0])])
    return {"chests": draw_dataset(folder / "chests", 130), "model": save_keras(model, folder)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in; they keep their answers in its `runs`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resuming, "FOLDER", ANSWERS)
    return tmp_path


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.kept"))


def count(*files: Path) -> int:
    """Return how many answers are in files of one question together."""
    (folder,) = {file.parent for file in files}
    (stem,) = {file.name.rpartition("-")[0] for file in files}
    aside = [file for file in kept_in(folder) if file not in files]
    for file in aside:
        file.rename(file.with_suffix(".aside"))
    try:
        return Kept(folder, stem).count
    finally:
        for file in aside:
            file.with_suffix(".aside").rename(file)


def kill_when(nursery: Nursery, there: Callable[[], bool], *command: str) -> None:
    """Start a command, and kill it when something is there: no handler of its own can run."""
    nursery.start(*command, folder=Path.cwd(), log=Path("log"))
    deadline = time.monotonic() + LIMIT_S
    while not there() and nursery.alive():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.002)
    assert nursery.kill() == -signal.SIGKILL, f"It ended before it could be killed. It said: {Path('log').read_text()}"


def kill_twice(nursery: Nursery, folder: Path, few: int, *command: str) -> int:
    """Kill a command as soon as it has kept a few answers, and once more; return how many it has kept in all.

    The second one kept none that the first had kept: it did not ask again.
    """
    kill_when(nursery, lambda: bool(kept_in(folder)) and count(*kept_in(folder)) >= few, *command)
    (first,) = kept_in(folder)
    before = count(first)
    kill_when(nursery, lambda: len(kept_in(folder)) == 2 and count(*kept_in(folder)) > before, *command)
    (second,) = (file for file in kept_in(folder) if file != first)
    assert count(first, second) == count(first) + count(second)
    return count(first, second)


def read_evaluation(folder: Path) -> Any:
    report = json.loads((folder / "e.json").read_bytes())
    assert report.pop("created")
    assert report.pop("speed")["threads"] == os.cpu_count()
    return report, read_rows(folder / "e.csv")


def read_rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return [{name: value for name, value in row.items() if name != "total_ms"} for row in csv.DictReader(lines)]


def read_exploration(folder: Path) -> Any:
    return json.loads((folder / "e.json").read_bytes())


def read_package(folder: Path) -> Any:
    written, _ = manifest.read(folder / "new")
    written.origin.config.get("calibration", {}).pop("at", None)
    return msgspec.structs.replace(written, files={}, origin=msgspec.structs.replace(written.origin, created=""))


COMMANDS = {
    "evaluate": (
        ["evaluate", MODEL, "{pictures}", "--outliers", "{pictures}", "--json", "{out}/e.json", "--csv", "{out}/e.csv"],
        read_evaluation,
    ),
    "explore": (["explore", "{pictures}", "--out", "{out}/e.html", "--json", "{out}/e.json"], read_exploration),
    "calibrate": (["calibrate", MODEL, "{pictures}", "--out", "{out}/new"], read_package),
    "guard": (["guard", MODEL, "{chests}", "--out", "{out}/new"], read_package),
    "package": (["package", "{model}", "--labels", TWO, "--values", "unit", "--dataset", "{pictures}", "--out", "{out}/new"], read_package),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_twice_it_asks_nothing_twice_and_gives_what_an_undisturbed_one_gives(
    name: str, pictures: Path, given: dict[str, Path], place: Path, nursery: Nursery, capsys: Capture
) -> None:
    words, read = COMMANDS[name]
    code = 1 if name == "explore" else 0  # it tells by it that a file could not be read
    (place / "undisturbed").mkdir()
    (place / "killed").mkdir()
    undisturbed, killed = (
        [word.format(pictures=pictures, out=place / out, **given) for word in words] for out in ("undisturbed", "killed")
    )
    assert main(undisturbed) == code
    assert kept_in(ANSWERS) == []
    assert "going on" not in capsys.readouterr().err

    answered = kill_twice(nursery, ANSWERS, 3, *killed)

    assert list((place / "killed").iterdir()) == []
    assert main(killed) == code
    assert GOING_ON.format(answered) in capsys.readouterr().err
    assert read(place / "killed") == read(place / "undisturbed")
    assert kept_in(ANSWERS) == []


def test_an_evaluation_of_another_package_point_or_selection_asks_anew(
    pictures: Path, place: Path, nursery: Nursery, capsys: Capture
) -> None:
    command = ["evaluate", MODEL, str(pictures), "--corruptions", "none"]
    kill_when(nursery, lambda: bool(kept_in(ANSWERS)) and count(*kept_in(ANSWERS)) > 3, *command)
    (kept,) = kept_in(ANSWERS)
    package = variant(place, lambda content: content.update(temperature=2.5))
    for other in (
        ["evaluate", str(package), str(pictures), "--corruptions", "none"],
        [*command, "--operating-point", "rule_in"],
        ["evaluate", MODEL, str(pictures)],
    ):
        assert main(other) == 0
        assert "going on" not in capsys.readouterr().err
        assert kept_in(ANSWERS) == [kept]
    assert main(command) == 0
    assert "going on" in capsys.readouterr().err


def test_a_picture_that_changed_meanwhile_is_asked_anew(pictures: Path, place: Path, nursery: Nursery, capsys: Capture) -> None:
    shutil.copytree(pictures, place / "data")
    command = ["evaluate", MODEL, "data", "--corruptions", "none", "--csv", "e.csv"]
    kill_when(nursery, lambda: bool(kept_in(ANSWERS)) and count(*kept_in(ANSWERS)) > 3, *command)
    for path in (place / "data/NORMAL").glob("*.jpeg"):  # those that come first
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path, "JPEG", quality=90)
    assert main(command) == 0
    assert "going on" in capsys.readouterr().err
    resumed = read_rows(place / "e.csv")
    assert main(command) == 0
    assert read_rows(place / "e.csv") == resumed


def test_a_place_that_cannot_be_written_to_is_a_warning(pictures: Path, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    (place / "runs").touch()
    assert main(["explore", str(pictures), "--out", "e.html"]) == 1
    assert [message for message in caplog.messages if "nothing is kept" in message] == [
        "nothing is kept for an interruption: Expected to write in runs/answers. Received: Not a directory."
    ]


def test_an_export_killed_twice_converts_and_predicts_once(
    package: Path, phantoms: Path, place: Path, nursery: Nursery, capsys: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    work = place / "work"
    shutil.copytree(package.parent / "work", work)
    command = ["export", str(work), "--dataset", str(phantoms), "--out"]
    caplog.set_level(logging.INFO)
    assert main([*command, str(place / "undisturbed/new")]) == 0
    assert "converting to LiteRT" in caplog.messages
    assert kept_in(work) == []

    answered = kill_twice(nursery, work, 15, *command, str(place / "new"))  # twelve shifts by Keras, the conversion, and some by LiteRT

    capsys.readouterr()
    caplog.clear()
    assert main([*command, str(place / "new")]) == 0
    assert "converting to LiteRT" not in caplog.messages
    assert GOING_ON.format(answered) in capsys.readouterr().err
    assert read_package(place) == read_package(place / "undisturbed")
    assert kept_in(work) == kept_in(ANSWERS) == []
