"""What is said of a model that was brought: of its teachers, of patients whom no name tells, of what cannot be."""

import logging
import shlex
from pathlib import Path

import keras
import msgspec
import pytest

from cli.main import main
from core.manifest import Manifest, read
from tests.support.drawn_predictions import draw_predictions
from tests.support.packages import baked
from tests.training.conftest import draw
from tests.training.elsewhere import body, of_any_size, save_keras, sigmoid_with_gap
from training import calibrate, card_commands, conventions, graphs, recalibration

pytestmark = pytest.mark.train

TWO = "normal,pneumonia"
Capture = pytest.CaptureFixture[str]


def brought(folder: Path, *options: str) -> Path:
    theirs = save_keras(sigmoid_with_gap(), folder)
    assert main(["package", str(theirs), "--labels", TWO, "--out", str(folder / "package"), "--tracking", "none", *options]) == 0
    return folder / "package"


def test_what_was_told_of_its_teachers_is_called_that(tmp_path: Path) -> None:
    written = read(brought(tmp_path, "--trained-on", "600 adults of our hospital"))[0]
    assert written.origin.dataset == "600 adults of our hospital"
    assert written.limits[0].startswith("Trained elsewhere: what stands here of those pictures, whoever packaged it said")


def test_the_command_on_the_card_makes_the_package_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["--name", "their-lungs", "--trained-on", "600 adults", "--weights-origin", "the `vgg16` file", "--intended-use", "Teaching."]
    theirs = save_keras(of_any_size(), tmp_path)
    words = ["package", str(theirs), "--labels", TWO, "--size", "48x48", "--values", "unit", *said, "--tracking", "none", "--out"]
    assert main([*words, str(tmp_path / "first")]) == 0
    card = (tmp_path / "first/CARD.md").read_text("utf-8")
    command = next(line for line in card.splitlines() if "pneumonia package " in line).partition("`` ")[2].partition(" ``")[0]
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(command.replace("--out PACKAGE", "--out again"))[1:], "--tracking", "none"]) == 0
    for folder in ("first", "again"):
        made = read(tmp_path / folder)[0]
        assert [made.name, made.origin.dataset, made.origin.initial_weights, made.intended_use] == said[1::2]
        assert (made.input.height_px, made.input.width_px, made.labels[1].name) == (48, 48, "pneumonia")


def test_the_command_on_the_card_says_nothing_that_nobody_said(tmp_path: Path) -> None:
    command = card_commands.of_network(read(brought(tmp_path))[0])
    assert command.startswith("pneumonia package theirs.keras --name theirs --size 48x48 --labels ")
    assert not [option for option in ("--trained-on", "--weights-origin", "--intended-use") if option in command]


def test_patients_whom_no_name_tells_and_unknown_teachers_are_told_wherever_figures_are(tmp_path: Path, capsys: Capture) -> None:
    for number in range(12):
        draw(tmp_path / f"data/NORMAL/{number}.jpeg", number)
        draw(tmp_path / f"data/PNEUMONIA/{number}.jpeg", 100 + number)
    theirs, data = save_keras(sigmoid_with_gap(), tmp_path), str(tmp_path / "data")
    asked = ["package", str(theirs), "--out", str(tmp_path / "package"), "--tracking", "none", "--dataset", data, "--values", "signed"]
    labels = TWO if main([*asked, "--labels", TWO]) == 0 else "pneumonia,normal"  # a network of chance: one of the orders fits
    assert labels == TWO or main([*asked, "--labels", labels]) == 0
    assert main(["calibrate", str(tmp_path / "package"), data, "--out", str(tmp_path / "again")]) == 0
    said = capsys.readouterr().out
    assert said.count("of 24 of these pictures no name tells the patient") == 2
    assert said.count("without a decision at balanced: ") == 2
    for folder in ("package", "again"):
        written, text = read(tmp_path / folder)[0], (tmp_path / folder / "CARD.md").read_text("utf-8")
        assert 'this network\'s predictions of the folder "data" (whether training elsewhere has seen these pictures is not known)' in text
        assert "Of 24 of them no name tells the patient" in text
        assert written.metrics["pictures_without_patient"] == 24


def test_a_guard_of_later_does_not_take_the_figures_for_those_of_calibrate(tmp_path: Path) -> None:
    manifest = read(brought(tmp_path))[0]
    calibrated = {**manifest.origin.config, "calibration": {"source": "as `package` notes it"}}
    assert not card_commands.recalibrated(_with(manifest, config=calibrated, parent_version="0.1.0"))
    again = {**calibrated, "calibration": {"source": "as `calibrate` notes it", "at": "2026-11-30T00:00:00Z"}}
    assert card_commands.recalibrated(_with(manifest, config=again, parent_version="0.1.0"))


def _with(manifest: Manifest, **changes: object) -> Manifest:
    return msgspec.structs.replace(manifest, origin=msgspec.structs.replace(manifest.origin, **changes))


@pytest.mark.parametrize(("scale", "offset"), [(1 / 255.0, -0.5), (1 / 255.0, 0.0), (1 / 127.5, -1.0)])
def test_a_rescaling_at_the_front_tells_bytes(scale: float, offset: float) -> None:

    model = keras.Sequential(
        [*body(1, keras.layers.Rescaling(scale, offset)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    )
    told = conventions.of_layers(graphs.flatten(model, model.inputs[0].shape[1:]))
    assert told is not None
    assert told[0] == "bytes"


def test_what_cannot_be_is_said_before_anything_long(tmp_path: Path, capsys: Capture) -> None:
    package = brought(tmp_path)
    draw(tmp_path / "data/NORMAL/1.jpeg", 1)
    draw(tmp_path / "data/PNEUMONIA/1.jpeg", 2)
    one, new = ["--labels", TWO, "--dataset", str(tmp_path / "data")], ["--out", str(tmp_path / "new"), "--tracking", "none"]
    for command, said in (
        (["package", str(tmp_path / "theirs.h5"), "--labels", TWO], "theirs.h5, which is not there."),
        (["package", str(tmp_path / "theirs.keras"), *one], "too_few_patients: Expected at least 10 patients of each class"),
        (["export", str(package), "--data", str(tmp_path / "data")], "run_mismatch: Expected a package that knows the data set"),
    ):
        assert main([*command, *new]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("gap", "sharpness", "at", "said"),
    [(0.0, 50.0, calibrate.HOTTEST, "say little of what is true"), (40.0, 0.05, calibrate.COLDEST, "more certain than the network is")],
    ids=["far too sure", "all told apart"],
)
def test_probabilities_that_no_temperature_mends_are_told(
    gap: float, sharpness: float, at: float, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    drawn = draw_predictions(gap=gap, sharpness=sharpness)
    with caplog.at_level(logging.WARNING):
        result = recalibration.recalibrate(drawn, read(baked())[0], calibrate.REQUIREMENTS, "drawn")
    assert result.choice.temperature == at
    assert f"the temperature ended at {at:g}, " in caplog.text
    assert said in caplog.text
