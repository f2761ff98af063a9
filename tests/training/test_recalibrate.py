"""`pneumonia calibrate`: a package gets the operating points that its predictions under shift deserve."""

import argparse
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cli import calibrate as calibrate_command
from cli.main import main
from core import images, manifest, phantom
from core import package as packages
from core.classifier import Classifier
from core.settings import BAKED_MODEL
from tests.support.drawn_predictions import draw_predictions
from tests.support.packages import baked, sign, variant
from tests.training.conftest import BACTERIAL, draw
from training import (
    calibrate,
    card,
    card_commands,
    cases,
    dataset,
    errors,
    pictures,
    predictions,
    recalibrated,
    recalibration,
    shifted_answers,
    versions,
)
from training.predictions import Predictions

pytestmark = pytest.mark.train

MODEL = str(BAKED_MODEL)
RECORD = {"source": "drawn predictions", "dataset_sha256": "d" * 64}


@pytest.fixture(scope="module")
def drawn() -> Predictions:
    return draw_predictions()


@pytest.fixture(scope="module")
def result(drawn: Predictions, classifier: Classifier) -> recalibration.Recalibration:
    return recalibration.recalibrate(drawn, classifier.manifest, calibrate.REQUIREMENTS, "drawn predictions")


@pytest.fixture(scope="module")
def out(drawn: Predictions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package calibrated on the drawn predictions by the command."""
    folder = tmp_path_factory.mktemp("calibrated")
    (folder / "oof.csv").write_bytes(predictions.encode(drawn))
    assert main(["calibrate", MODEL, str(folder / "oof.csv"), "--out", str(folder / "package")]) == 0
    return folder / "package"


def test_the_new_package_loads_and_says_where_it_comes_from(out: Path, result: recalibration.Recalibration) -> None:
    classifier, parent = packages.load(out), packages.load(baked()).manifest
    written = classifier.manifest
    assert written.temperature == pytest.approx(result.choice.temperature)
    assert [point.threshold for point in written.operating_points] == [point.threshold for point in result.points]
    assert (written.version, written.origin.parent_version) == (versions.patch_after(parent.version), parent.version)
    assert written.files["network.tflite"] == parent.files["network.tflite"]
    assert "oof.csv" in written.origin.config["calibration"]["source"]
    assert written.metrics["threshold_spread"].keys() == {"screening", "balanced", "rule_in"}
    assert all(written.metrics[name] == parent.metrics[name] for name in ("correction", "parity", "guard"))
    assert "train_auroc" not in written.metrics  # no part of the split stands beside it
    assert "| held-out chest X-rays |" in (out / "CARD.md").read_text("utf-8")
    assert str(out.parent).encode() not in (out / "manifest.json").read_bytes()


def test_the_new_package_answers_with_its_own_temperature(out: Path) -> None:
    old, new = packages.load(baked()), packages.load(out)
    before, after = (classifier.probabilities(phantom.chest(3))[0] for classifier in (old, new))
    ratio = old.manifest.temperature / new.manifest.temperature
    assert np.allclose(after, calibrate.soften(before, 1.0 / ratio), atol=1e-9)
    expected = old.manifest.input.draft_margin * ratio
    assert expected <= new.manifest.input.draft_margin <= expected + 0.001


def test_the_card_states_the_new_points(out: Path) -> None:
    card = (out / "CARD.md").read_text("utf-8")
    written, _ = manifest.read(out)
    assert all(f"| {point.threshold} |" in card for point in written.operating_points)
    assert "out-of-fold predictions (oof.csv)" in card


def test_the_card_says_who_chose_and_what_gives_the_figures(out: Path) -> None:
    card = (out / "CARD.md").read_text("utf-8")
    chosen = "Temperature and thresholds of this version were chosen on out-of-fold predictions (oof.csv)"
    assert f"`tune` chose the correction of the logits. {chosen}" in card
    assert "`tune` chose what was chosen" not in card
    assert "patients, each decided by what the others chose." in card
    assert "who did not train or tune it" not in card
    assert "The same test pictures" not in card
    assert card.count("By `pneumonia calibrate PARENT PREDICTIONS --out PACKAGE`:") == 4
    assert card.count("By `pneumonia train DATASET") == 1
    assert card.count("By `pneumonia train DATASET --config PACKAGE/manifest.json --weights START --out NEW`:") == 1
    before = manifest.read(baked())[0]
    digest = manifest.read(out)[0].origin.config["calibration"]["predictions_sha256"]
    start = before.origin.initial_weights.partition(", ")[0]
    assert (
        f", PARENT the package {before.name} {before.version}, PREDICTIONS a table of predictions as `pneumonia crossval` leaves it "
        in card
    )
    assert f" `pneumonia crossval` leaves it (sha256 `{digest}`), START the package {start}.\n" in card  # two packages, two words
    assert "| `calibration: requirements: balanced_sensitivity` | `0.97` |" in card


def test_the_card_of_a_trained_package_says_that_the_tune_patients_chose() -> None:
    before = manifest.read(baked())[0]
    config = {key: value for key, value in before.origin.config.items() if key != "calibration"}
    origin = msgspec.structs.replace(before.origin, config=config, parent_version=None)
    text = card.write(msgspec.structs.replace(before, origin=origin))
    assert "`tune` chose what was chosen (correction of the logits, temperature, thresholds)" in text
    assert "pneumonia calibrate" not in text


def test_the_command_in_the_card_holds_what_was_not_usual_and_is_one_of_the_terminal(
    result: recalibration.Recalibration, tmp_path: Path
) -> None:
    required = {**calibrate.REQUIREMENTS._asdict(), "balanced_sensitivity": 0.95}
    written = recalibrated.write(baked(), result, "1.0.0", {**RECORD, "requirements": required}, tmp_path / "new")
    command = card_commands.of_figures(written)
    assert command == "pneumonia calibrate PARENT DATASET --balanced-sensitivity 0.95 --out PACKAGE"
    parser = argparse.ArgumentParser()
    calibrate_command.register(parser.add_subparsers())
    assert parser.parse_args(command.split()[1:]).balanced_sensitivity == 0.95


def test_a_calibrated_package_no_longer_says_that_it_is_not(result: recalibration.Recalibration, tmp_path: Path) -> None:
    parent = variant(tmp_path, lambda content: content["limits"].append(recalibration.NOT_CALIBRATED))
    written = recalibrated.write(parent, result, "1.0.0", RECORD, tmp_path / "new")
    assert written.limits == packages.load(baked()).manifest.limits


def test_a_data_set_goes_through_the_package_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(10):
        draw(tmp_path / f"data/NORMAL/{number}.jpeg", number)
        draw(tmp_path / f"data/PNEUMONIA/{number}.jpeg", 100 + number, BACTERIAL)
    (tmp_path / "data/NORMAL/empty.jpeg").touch()
    assert main(["calibrate", MODEL, str(tmp_path / "data"), "--out", str(tmp_path / "new"), "--package-version", "9.1.0-rc1"]) == 0
    said = capsys.readouterr()
    assert ": version 9.1.0-rc1\nmeasured on 20 pictures, 20 patients: unchanged pictures: " in said.out
    assert "\nAUROC " in said.out
    assert "of 20 of these pictures no name tells the patient" in said.out
    assert said.out.count("95 % of the draws") == 3
    assert "left out: NORMAL/empty.jpeg: not_a_picture: Expected a picture" in said.err
    written = packages.load(tmp_path / "new").manifest
    assert (written.metrics["pictures"], written.metrics["patients"]) == (20, 20)
    assert written.origin.config["calibration"]["requirements"]["balanced_sensitivity"] == 0.97
    assert len(written.metrics["under_shift"]) == 12


def test_predictions_of_a_data_set_are_the_networks_own_before_its_temperature(tmp_path: Path) -> None:
    (tmp_path / "NORMAL").mkdir()
    (tmp_path / "NORMAL/a.jpg").write_bytes(phantom.jpeg(4))
    classifier = packages.load(variant(tmp_path, lambda content: content.update(temperature=2.5)))
    asked = shifted_answers.ask(cases.find(tmp_path, classifier.manifest), classifier, 1, progress=False).predictions
    served = classifier.probabilities(pictures.shrink(images.decode(phantom.jpeg(4)).grey, classifier.manifest.input))[0]
    assert asked.shift[0] == "plain"
    assert np.allclose(calibrate.soften(asked.probabilities[0], 2.5), served, atol=5e-3)
    assert not np.allclose(asked.probabilities[0], served, atol=2e-2)


def test_pictures_that_the_network_learned_from_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        draw(tmp_path / f"data/NORMAL/IM-{number:04d}.jpeg", number)
        draw(tmp_path / f"data/PNEUMONIA/person{number}_virus_1.jpeg", 100 + number, BACTERIAL)
    seen = dataset.index(tmp_path / "data", progress=False).sha256
    package = variant(tmp_path, lambda content: content["origin"].update(dataset_sha256=seen))
    assert main(["calibrate", str(package), str(tmp_path / "data"), "--out", str(tmp_path / "new")]) == 2
    assert "error: seen_in_training: " in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["{few}", "--out", "{new}"], "too_few_patients"),
        (["nowhere", "--out", "{new}"], "dataset_missing"),
        (["{csv}", "--out", "{new}", "--balanced-sensitivity", "1.0"], "invalid_option"),
        (["{csv}", "--out", "{new}", "--screening-sensitivity", "0.9"], "invalid_option"),
        (["{csv}", "--out", "{new}", "--package-version", "a b"], "invalid_option"),
        (["{csv}", "--out", "{old}"], "package_exists"),
        (["{csv}", "--out", "{folder}", "--replace"], "package_exists"),
        (["{csv}", "--out", "/dev/full/new"], "cannot_write"),
    ],
    ids=["few patients", "nowhere", "share of 1", "screening below balanced", "version", "package", "other folder", "no folder"],
)
def test_what_cannot_be_calibrated_is_one_line_and_exit_code_2(
    options: list[str], code: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few.csv"
    few.write_bytes(predictions.encode(draw_predictions(9)))
    places = {"few": few, "csv": out.parent / "oof.csv", "new": tmp_path / "new", "old": out, "folder": tmp_path}
    before = (out / "manifest.json").read_bytes()
    assert main(["calibrate", MODEL, *(option.format(**places) for option in options)]) == 2
    assert f"error: {code}: " in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert (out / "manifest.json").read_bytes() == before


def test_a_failure_leaves_the_old_package_and_no_trace(
    out: Path, result: recalibration.Recalibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "package"
    recalibrated.write(baked(), result, "1.0.0", RECORD, target)
    before = (target / "manifest.json").read_bytes()

    def fail(_manifest: manifest.Manifest) -> str:  # as the card on a full disk
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(card, "write", fail)
    with pytest.raises(errors.DiskFull, match="No space left"):
        recalibrated.write(baked(), result, "1.0.1", RECORD, target)
    assert (target / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_a_package_can_replace_itself(out: Path, result: recalibration.Recalibration, tmp_path: Path) -> None:
    target = tmp_path / "package"
    recalibrated.write(baked(), result, "1.0.0", RECORD, target)
    written = recalibrated.write(target, result, "1.0.1", RECORD, target)
    assert packages.load(target).manifest == written
    assert written.origin.parent_version == "1.0.0"
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_figures_of_other_operating_points_are_not_taken_along(result: recalibration.Recalibration, tmp_path: Path) -> None:
    parent = variant(tmp_path, lambda _: None)
    (parent / "report").mkdir()
    (parent / "report/roc.svg").write_bytes(b"figure")
    (parent / "history.csv").write_bytes(b"epochs")
    sign(parent)
    recalibrated.write(parent, result, "1.0.0", RECORD, tmp_path / "new")
    assert not (tmp_path / "new/report").exists()
    assert (tmp_path / "new/history.csv").read_bytes() == b"epochs"  # of the training, which is the same


@pytest.mark.parametrize(
    ("version", "following"), [("0.1.0", "0.1.1"), ("2.10.9", "2.10.10"), ("2026-11-21", "2026-11-21-calibrated"), ("v" * 100, None)]
)
def test_the_next_version_is_one_that_a_manifest_takes(version: str, following: str | None) -> None:
    received = versions.patch_after(version)
    assert following in (None, received)
    assert msgspec.convert(received, manifest.Identifier) == received
