"""Targets shared between labels and out-of-fold predictions: `crossval --teaching`, then `train --soft-targets`."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cli.main import main
from core.manifest import InputContract, read
from training import calibrate, crossval, dataset, errors, foldfiles, pictures, predictions, soft, splits
from training.batches import Batches
from training.configuration import Configuration
from training.names import KINDS

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=64, width_px=64, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)
LAST_KEPT = 'arch = "dense"\nweights = "none"\nkeep = "last"\nhead_epochs = 0\nepochs = 2\nbatch_size = 4\n'


@pytest.fixture(scope="module")
def loaded(phantoms: Path) -> pictures.Pictures:
    return pictures.load(dataset.index(phantoms, progress=False), CONTRACT, progress=False)


@pytest.fixture(scope="module")
def teaching(loaded: pictures.Pictures) -> tuple[int, ...]:
    return splits.split(loaded.dataset, 1)["fit"]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of every command: a recipe that keeps the last epoch."""
    file = tmp_path_factory.mktemp("recipe") / "last.toml"
    file.write_text(LAST_KEPT)
    return ["--config", str(file), "--tracking", "none"]


@pytest.fixture(scope="module")
def table(phantoms: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a cross-validation of the patients who teach leaves."""
    work = tmp_path_factory.mktemp("teachers")
    assert main(["crossval", str(phantoms), "--folds", "3", "--teaching", "--work", str(work), *options]) == 0
    summary = crossval.read(work)
    assert summary.teaching
    assert "validation_auroc" not in summary.figures  # no fold chose
    return work / "result" / foldfiles.TABLE_FILE


def recipe(table: Path, share: float = 0.5, seed: int = 1) -> Configuration:
    return Configuration(arch="dense", weights="none", soft_targets=str(table), soft_share=share, seed=seed)


def softened(loaded: pictures.Pictures, positions: Sequence[int], configuration: Configuration) -> pictures.Pictures:
    return soft.softened(loaded, positions, configuration, soft.read(configuration))


def test_only_patients_who_teach_are_in_the_folds(table: Path, loaded: pictures.Pictures, teaching: tuple[int, ...]) -> None:
    assert set(predictions.read(table, KINDS).file) == {loaded.dataset.samples[position].path for position in teaching}


def test_a_target_is_label_and_mean_prediction_by_their_shares(table: Path, loaded: pictures.Pictures, teaching: tuple[int, ...]) -> None:
    said = predictions.read(table, KINDS)
    taught = softened(loaded, teaching, recipe(table, share=0.25))

    assert taught.targets is not None
    even = soft.evened(said.probabilities, np.array([KINDS.index(str(label)) for label in said.label]))
    for row, position in enumerate(teaching):
        mean = even[said.file == loaded.dataset.samples[position].path].mean(axis=0)
        label = np.eye(len(KINDS))[loaded.labels[position]]
        assert taught.targets[row] == pytest.approx(0.25 * mean + 0.75 * label, abs=1e-6)
    batch = Batches(taught, CONTRACT, recipe(table).augmentation, len(teaching), len(KINDS), (1, 0))
    order = np.random.default_rng((1, 0)).permutation(len(teaching))
    assert np.array_equal(batch[0][1], taught.targets[order])
    some = taught.take([2, 0])
    assert some.targets is not None
    assert np.array_equal(some.targets, taught.targets[[2, 0]])


def test_of_the_kinds_alone_nothing_moves_between_normal_and_pneumonia(
    table: Path, loaded: pictures.Pictures, teaching: tuple[int, ...]
) -> None:
    everything, kinds = (
        softened(loaded, teaching, msgspec.structs.replace(recipe(table, share=0.6), soft_labels=which)).targets
        for which in ("all", "kinds")
    )

    assert everything is not None
    assert kinds is not None
    labels = loaded.labels[list(teaching)]
    ill = labels > 0
    assert np.array_equal(kinds[~ill], np.eye(3)[labels[~ill]])
    assert np.all(kinds[ill, 0] == 0.0)
    said = (everything - 0.4 * np.eye(3)[labels])[ill, 1:]
    assert kinds[ill, 1:] == pytest.approx(0.6 * said / said.sum(axis=1, keepdims=True) + 0.4 * np.eye(3)[labels[ill]][:, 1:], abs=1e-4)
    assert np.ptp(kinds[labels == 1, 1]) > 1e-3  # it is of each picture what the networks say of it


def test_kinds_of_which_nothing_is_said_share_alike() -> None:
    assert soft.of_kinds(np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), np.eye(3)[[2, 0]]).tolist() == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.6])
def test_even_labels_have_the_posterior_that_bayes_gives_them(temperature: float) -> None:
    """Three classes of known densities and shares, asked of a network that knows them and is too sure or too unsure."""
    rng, shares = np.random.default_rng(0), np.array([0.25, 0.5, 0.25])
    labels = rng.choice(len(shares), 6000, p=shares)
    evidence = 2.0 * rng.normal(2.0 * np.eye(len(shares))[labels], 1.0)
    posterior = calibrate.soften(np.exp(evidence) * shares, 1.0)

    even = soft.evened(calibrate.soften(posterior, temperature), labels)
    assert even == pytest.approx(calibrate.soften(np.exp(evidence), 1.0), abs=0.01)


def test_without_predictions_the_labels_are_taught(loaded: pictures.Pictures, teaching: tuple[int, ...]) -> None:
    assert softened(loaded, teaching, Configuration()).targets is None


def test_predictions_by_networks_that_know_other_patients_are_refused(table: Path, loaded: pictures.Pictures) -> None:
    with pytest.raises(errors.InvalidPredictions, match="--teaching"):
        softened(loaded, splits.split(loaded.dataset, 2)["fit"], recipe(table, seed=2))


def test_a_package_says_what_taught_it_also_once_the_file_is_gone(
    table: Path, phantoms: Path, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    copied = tmp_path / "said.csv"
    copied.write_bytes(table.read_bytes())
    taught = f"said.csv, sha256 {hashlib.sha256(copied.read_bytes()).hexdigest()}"
    command = ["train", str(phantoms), *options, "--soft-targets", str(copied), "--soft-share", "0.3"]
    assert main([*command, "--work", "work", "--out", "trained"]) == 0
    copied.unlink()
    assert main(["export", "work", "--dataset", str(phantoms), "--out", "exported", "--tracking", "none"]) == 0

    for out in ("trained", "exported"):
        config, card = read(Path(out))[0].origin.config, (Path(out) / "CARD.md").read_text()
        assert (config["soft_targets"], config["soft_share"], config["keep"]) == (taught, 0.3, "last")
        assert "`tune` chose what was chosen (correction of the logits, temperature, thresholds)" in card
        assert "The last epoch is kept; no patient had a say in that." in card
    capsys.readouterr()
    assert main(["train", str(phantoms), "--config", "trained/manifest.json", "--out", "again", "--tracking", "none"]) == 2
    assert f"error: invalid_predictions: Expected a CSV file with predictions. Received: {taught}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["crossval", "--soft-targets", "FILE"], "seen_in_training"),
        (["train", "--out", "p", "--soft-targets", "none.csv"], "invalid_predictions"),
    ],
)
def test_what_cannot_be_taught_is_refused_before_any_picture_is_decoded(
    command: list[str],
    code: str,
    phantoms: Path,
    options: list[str],
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *more = [str(table) if word == "FILE" else word for word in command]
    assert main([name, str(phantoms), *options, *more]) == 2
    said = capsys.readouterr().err
    assert f"error: {code}: " in said
    assert "--soft-targets ''" in said
    assert "decoding" not in said
