"""Cross-validation by patient, from the folds to the files: `pneumonia crossval`, and `pneumonia compare` on what it leaves."""

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cli.main import main
from core import package as packages
from core import phantom
from core.settings import BAKED_MODEL
from training import compare, crossval, dataset, errors, predictions, splits
from training.augment import SHIFTS
from training.compare import Row
from training.names import KINDS

pytestmark = pytest.mark.train

FOLDS = 3
RECIPE = ["--arch", "dense", "--weights", "none", "--head-epochs", "0", "--epochs", "1", "--batch-size", "4", "--tracking", "none"]


def command(data: Path, work: Path, *options: str) -> list[str]:
    return ["crossval", str(data), "--folds", str(FOLDS), "--work", str(work), *RECIPE, *options]


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


@pytest.fixture(scope="module")
def validated(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of a cross-validation of phantoms."""
    work = tmp_path_factory.mktemp("crossval") / "dense"
    assert main(command(phantoms, work)) == 0
    return work


@pytest.fixture(scope="module")
def summary(validated: Path) -> crossval.Summary:
    return crossval.read(validated)


def test_each_fold_is_held_out_once_and_chooses_once() -> None:
    roles = [crossval.parts(number, 4, chosen=True) for number in range(1, 5)]

    assert [held_out for held_out, _, _ in roles] == ["1", "2", "3", "4"]
    assert sorted(str(chooses) for _, chooses, _ in roles) == ["1", "2", "3", "4"]
    for held_out, chooses, teach in roles:
        assert sorted([held_out, str(chooses), *teach]) == ["1", "2", "3", "4"]


def test_where_the_last_epoch_is_kept_no_fold_chooses() -> None:
    assert crossval.parts(3, 4, chosen=False) == ("3", None, ("1", "2", "4"))


def test_every_picture_has_one_answer_from_the_fold_that_held_it_out(validated: Path, phantoms: Path) -> None:
    indexed = dataset.index(phantoms, progress=False)
    dealt = splits.folds(indexed, FOLDS, seed=1)
    with np.load(validated / "result/out_of_fold.npz", allow_pickle=False) as kept:
        assert [str(path) for path in kept["paths"]] == [sample.path for sample in indexed.samples]
        assert kept["probabilities"].shape == (len(SHIFTS), len(indexed.samples), len(KINDS))
        assert np.allclose(kept["probabilities"].sum(axis=2), 1.0, atol=1e-5)
        for number in range(1, FOLDS + 1):
            rows = list(dealt[str(number)])
            assert set(kept["fold"][rows]) == {number}
            with np.load(validated / f"fold-{number}.npz") as fold:  # one correction for all of a fold lies between
                before, after = np.log(fold["probabilities"]), np.log(kept["probabilities"][:, rows])
                ill = [logits[..., 0] - logits[..., 1:].mean(axis=-1) for logits in (before, after)]
                kind = [np.asarray(logits[..., 1] - logits[..., 2], np.float64).ravel() for logits in (before, after)]
                assert np.ptp(ill[1] - ill[0]) == pytest.approx(0.0, abs=1e-3)
                assert np.polyval(np.polyfit(kind[0], kind[1], 1), kind[0]) == pytest.approx(kind[1], abs=1e-3)
                assert np.abs(after - before).max() > 0.01
        table = predictions.read(validated / "result/out_of_fold.csv", KINDS)
        assert np.allclose(table.probabilities, kept["probabilities"].reshape(-1, len(KINDS)), atol=1e-6)
    assert table.shift.tolist() == [shift for shift in SHIFTS for _ in indexed.samples]
    assert table.patient.tolist() == [sample.group for sample in indexed.samples] * len(SHIFTS)
    assert table.label.tolist() == [sample.kind for sample in indexed.samples] * len(SHIFTS)


def test_calibrate_reads_what_a_cross_validation_leaves(validated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = str(validated / "result/out_of_fold.csv")
    assert main(["calibrate", str(BAKED_MODEL), table, "--out", str(tmp_path / "package")]) == 2  # it has read them, and counts
    assert "too_few_patients: Expected at least 10 patients of each class to place a threshold. Received: 8 of" in capsys.readouterr().err


def test_summary_says_mean_and_range_and_what_lies_behind_them(validated: Path, summary: crossval.Summary) -> None:
    assert (summary.arch, summary.folds, summary.pictures, summary.patients, summary.unreadable) == ("dense", FOLDS, 24, 24, 0)
    assert {"train_auroc", "validation_auroc", "auroc", "auroc_shifted", "auprc", "bacterial_vs_viral_auroc"} <= set(summary.figures)
    for spread in summary.figures.values():
        assert len(spread.folds) == FOLDS
        assert (spread.low, spread.high) == (min(spread.folds), max(spread.folds))
        assert spread.mean == pytest.approx(sum(spread.folds) / FOLDS, abs=1e-4)
    for name, digest in summary.files.items():
        assert hashlib.sha256((validated / "result" / name).read_bytes()).hexdigest() == digest


def test_a_run_that_was_stopped_goes_on_fold_by_fold(
    phantoms: Path, validated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "stopped"
    work.mkdir()
    (work / "fold-2").touch()  # a file where the second fold wants its folder

    assert main(command(phantoms, work)) == 2
    assert f"error: cannot_write: Expected to write {work / 'fold-2'}. Received: " in capsys.readouterr().err
    first = (work / "fold-1.npz").stat().st_mtime_ns
    assert not (work / "fold-2.npz").exists()

    (work / "fold-2").unlink()
    assert main(command(phantoms, work)) == 0
    assert (work / "fold-1.npz").stat().st_mtime_ns == first
    with np.load(work / "result/out_of_fold.npz") as one, np.load(validated / "result/out_of_fold.npz") as other:
        assert np.allclose(one["probabilities"], other["probabilities"], atol=2e-3)


def test_a_finished_run_is_not_trained_again(phantoms: Path, validated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in validated.glob("fold-*/*")}
    assert before

    assert main(command(phantoms, validated, "--json")) == 0

    assert {path: path.stat().st_mtime_ns for path in validated.glob("fold-*/*")} == before
    assert msgspec.json.decode(capsys.readouterr().out, type=crossval.Summary) == crossval.read(validated)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--folds", "2"], "invalid_option: Expected at least 3 folds. Received: 2."),
        (["--folds", "9"], "too_few_patients: Expected at least 9 patients of kind 'normal', one for each fold. Received: 8."),
        (["--folds", "4"], "run_mismatch: "),
        (["--epochs", "2"], "run_mismatch: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_validated_is_one_line(
    options: list[str], sentence: str, phantoms: Path, validated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(phantoms, validated, *options)) == 2
    assert f"error: {sentence}" in capsys.readouterr().err


def test_missing_weights_show_before_a_picture_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(tmp_path / "nowhere", tmp_path / "work", "--weights", "nowhere.weights.h5")) == 2
    assert "error: initial_weights_unusable: " in capsys.readouterr().err


def test_models_are_compared_in_the_terminal_as_a_page_and_as_json(
    validated: Path, package: Path, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.toml"
    file.write_text('arch = "cnn"\nweights = "none"\nhead_epochs = 0\nepochs = 1\nbatch_size = 4\n')
    data = copy(phantoms, tmp_path / "data")
    (data / "NORMAL/IM-0000-0001.jpeg").write_bytes(b"not a picture")
    options = ["--config", str(file), "--data", str(data), "--folds", str(FOLDS), "--tracking", "none", "--out", str(tmp_path / "out")]

    assert main(["compare", str(validated), str(package), *options]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith("MODEL ")
    rows = msgspec.json.decode((tmp_path / "out/comparison.json").read_bytes(), type=dict[str, list[Row]])["models"]
    assert [row.name for row in rows] == ["crossval-dense", "pneumonia-cnn 0.1.0", "small"]
    assert [row.parameters for row in rows] == [532_867, 98_259, 98_259]
    assert rows[1].size_bytes == (package / "network.tflite").stat().st_size
    assert rows[2].size_bytes == pytest.approx(rows[1].size_bytes, rel=0.05)
    assert all(row.ms_per_picture > 0.0 for row in rows)
    assert rows[0].cv == crossval.read(validated).figures["auroc"]
    assert None not in (rows[1].held_out, rows[1].held_out_kinds)
    assert (rows[1].cv, rows[1].own_train is None, rows[1].own_validation is None) == (None, False, False)
    found = crossval.read(tmp_path / "out/small")
    assert (found.pictures, found.unreadable) == (23, 1)
    page = (tmp_path / "out/comparison.html").read_text("utf-8")
    for row in rows:
        assert row.name in shown
        assert all(cell in page for cell in compare.cells(row))
    assert all(source.startswith(("data:", "#")) for source in re.findall(r'(?:src|href)="([^"]*)"', page))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["{tmp}"], "nothing_to_compare: Expected a model package (manifest.json) or a finished cross-validation"),
        ([], "nothing_to_compare: Expected FOLDER or --config."),
        (["--config", "recipe.toml"], "invalid_option: Expected --data DATASET beside --config."),
    ],
    ids=["an empty folder", "nothing", "a recipe without data"],
)
def test_what_cannot_be_compared_is_one_line(options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *(option.format(tmp=tmp_path) for option in options), "--out", str(tmp_path / "out")]) == 2
    assert f"error: {sentence}" in capsys.readouterr().err


def row(name: str, train: float, cv: tuple[float, ...], size_bytes: int, ms: float) -> Row:
    return Row(
        name=name,
        arch=None,
        train=crossval.spread([train]),
        cv=crossval.spread(list(cv)),
        parameters=None,
        size_bytes=size_bytes,
        ms_per_picture=ms,
    )


def test_sentences_say_what_the_figures_show() -> None:
    small, large, poor = (
        row("small", 0.97, (0.95, 0.97), 1_000_000, 1.0),
        row("large", 1.0, (0.96, 0.98), 20_000_000, 30.0),
        row("poor", 0.80, (0.75, 0.77), 500_000, 0.5),
    )

    assert compare.sentences([small, large, poor]) == [
        "large is best on held-out patients: AUROC 0.9700.",
        "Its lead over small is no larger than the folds differ among themselves.",
        "The smallest of those that the folds cannot tell from it is small: 1.00 MB.",
        "poor learns most by heart: its AUROC is 0.0400 higher on the pictures that taught it than on held-out ones.",
        "large takes 60 times as long a picture as poor, on one thread of this machine.",
    ]
    package = msgspec.structs.replace(large, name="package", cv=None)
    assert compare.sentences([poor, package])[0] == "Among those that were cross-validated poor is best on held-out patients: AUROC 0.7600."


def test_dense_package_answers_and_says_that_it_cannot_explain(train_tiny: Callable[..., Path]) -> None:
    loaded = packages.load(train_tiny("--arch", "dense"))

    answer = loaded.classify(phantom.jpeg(5), loaded.operating_point(None), "request", 40_000_000, explain=True)

    assert not loaded.manifest.class_activation_maps
    assert answer.explanation is None
    assert answer.warnings == ("package_has_no_maps",)


def test_one_patient_of_a_kind_is_refused_before_any_learning(phantoms: Path, tmp_path: Path) -> None:
    data = copy(phantoms, tmp_path / "data")
    for number in range(1, 8):
        (data / f"PNEUMONIA/person{number}_virus_{number}.jpeg").unlink()

    with pytest.raises(
        errors.TooFewPatients, match=r"3 patients of kind 'viral pneumonia', one for each part of the split\. Received: 1\."
    ):
        splits.split(dataset.index(data, progress=False), seed=1)
