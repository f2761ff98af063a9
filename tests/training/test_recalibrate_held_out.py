"""`pneumonia calibrate --measure-on`: what other networks chose, measured on those whom the training of the package held out."""

from pathlib import Path

import numpy as np
import pytest

from cli.main import main
from core import package as packages
from tests.support.drawn_predictions import draw_predictions
from tests.support.packages import variant
from tests.training.conftest import draw_dataset
from training import calibrate, cases, dataset, decided, metrics, predictions, shifted_answers

pytestmark = pytest.mark.train


@pytest.fixture
def trained_on(tmp_path: Path) -> tuple[Path, Path]:
    """A data set, and a package that says that it learned from it."""
    data = draw_dataset(tmp_path / "data", 4)
    seen = dataset.index(data, progress=False).sha256
    return data, variant(tmp_path, lambda content: content["origin"].update(dataset_sha256=seen))


def test_those_who_were_held_out_measure_what_other_networks_chose(
    trained_on: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, package = trained_on
    drawn, parent = draw_predictions(), packages.load(package).manifest
    (tmp_path / "oof.csv").write_bytes(predictions.encode(drawn))
    asked = ["calibrate", str(package), str(tmp_path / "oof.csv"), "--measure-on", str(data), "--out", str(tmp_path / "new")]
    assert main(asked) == 0
    assert "balanced: threshold" in capsys.readouterr().out
    written = packages.load(tmp_path / "new").manifest
    chosen = decided.choose(predictions.read(tmp_path / "oof.csv", drawn.labels), parent, calibrate.REQUIREMENTS)
    assert [point.threshold for point in written.operating_points] == [threshold.value for threshold in chosen.thresholds]

    found = cases.held_out(cases.find(data, written), written)
    own = shifted_answers.ask(found, packages.load(tmp_path / "new"), 1, progress=False).predictions
    plain = own.where(own.shift == "plain")
    truth = plain.label != written.negative
    pneumonia = 1.0 - calibrate.soften(plain.probabilities, written.temperature)[:, written.negative_index]
    assert written.metrics["pictures"] == len(truth) == len(found.cases)
    assert written.metrics["auroc"]["value"] == pytest.approx(metrics.auroc(truth, pneumonia), abs=1e-4)
    balanced = written.operating_point(None)
    assert balanced is not None
    assert balanced.sensitivity is not None
    assert balanced.sensitivity.value == pytest.approx(metrics.sensitivity(truth, pneumonia >= balanced.threshold), abs=1e-4)

    assert written.metrics["train_auroc"] == parent.metrics["train_auroc"]  # the card's table of all parts has it

    text = (tmp_path / "new/CARD.md").read_text("utf-8")
    assert "By `pneumonia calibrate PARENT PREDICTIONS --measure-on DATASET --out PACKAGE`:" in text
    assert "On unchanged pictures of patients whom its training held out." in text
    assert "were chosen on out-of-fold predictions (oof.csv), and `test` only reports." in text
    assert "The same test pictures" in text


def test_nobody_both_chooses_and_measures(trained_on: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, package = trained_on
    asked = ["calibrate", str(package), "{source}", "--measure-on", str(data), "--out", str(tmp_path / "new")]
    manifest_of = packages.load(package).manifest
    reports = cases.held_out(cases.find(data, manifest_of), manifest_of).cases[0]
    drawn = draw_predictions()
    shared = "invalid_predictions: Expected predictions of other patients than training held out"
    by_patient, by_file = tmp_path / "patient.csv", tmp_path / "file.csv"
    by_patient.write_bytes(predictions.encode(drawn._replace(patient=np.where(drawn.patient == "7", str(reports.patient), drawn.patient))))
    by_file.write_bytes(predictions.encode(drawn._replace(file=np.where(drawn.file == "7-0.png", reports.shown, drawn.file))))
    for source, said in (
        (data, "invalid_option: Expected --measure-on with a file"),
        (by_patient, shared),
        (by_file, shared),
    ):
        assert main([option.format(source=source) for option in asked]) == 2
        assert f"error: {said}" in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
