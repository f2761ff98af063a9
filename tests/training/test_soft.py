"""Targets shared between labels and out-of-fold predictions: `crossval --teaching`, then `train --soft-targets`."""

from pathlib import Path

import numpy as np
import pytest

from cli.main import main
from core.manifest import InputContract, read
from training import calibrate, dataset, errors, foldfiles, pictures, predictions, soft, splits
from training.batches import Batches
from training.configuration import Configuration
from training.dataset import KINDS

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=64, width_px=64, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)
RECIPE = ["--arch", "dense", "--weights", "none", "--head-epochs", "0", "--epochs", "1", "--batch-size", "4", "--tracking", "none"]


@pytest.fixture(scope="module")
def loaded(phantoms: Path) -> pictures.Pictures:
    return pictures.load(dataset.index(phantoms, progress=False), CONTRACT, progress=False)


@pytest.fixture(scope="module")
def teaching(loaded: pictures.Pictures) -> tuple[int, ...]:
    return splits.split(loaded.dataset, 1)["fit"]


@pytest.fixture(scope="module")
def table(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a cross-validation of the patients who teach leaves."""
    work = tmp_path_factory.mktemp("teachers")
    assert main(["crossval", str(phantoms), "--folds", "3", "--teaching", "--work", str(work), *RECIPE]) == 0
    return work / "result" / foldfiles.TABLE_FILE


def recipe(table: Path, share: float = 0.5, seed: int = 1) -> Configuration:
    return Configuration(arch="dense", weights="none", soft_targets=str(table), soft_share=share, seed=seed)


def test_only_patients_who_teach_are_in_the_folds(table: Path, loaded: pictures.Pictures, teaching: tuple[int, ...]) -> None:
    assert set(predictions.read(table, KINDS).file) == {loaded.dataset.samples[position].path for position in teaching}


def test_a_target_is_label_and_mean_prediction_by_their_shares(table: Path, loaded: pictures.Pictures, teaching: tuple[int, ...]) -> None:
    said = predictions.read(table, KINDS)
    softened = soft.softened(loaded, teaching, recipe(table, share=0.25))

    assert softened.targets is not None
    even = soft.evened(said.probabilities, np.array([KINDS.index(str(label)) for label in said.label]))
    for row, position in enumerate(teaching):
        mean = even[said.file == loaded.dataset.samples[position].path].mean(axis=0)
        label = np.eye(len(KINDS))[loaded.labels[position]]
        assert softened.targets[row] == pytest.approx(0.25 * mean + 0.75 * label, abs=1e-6)
    batch = Batches(softened, CONTRACT, recipe(table).augmentation, len(teaching), len(KINDS), (1, 0))
    order = np.random.default_rng((1, 0)).permutation(len(teaching))
    assert np.array_equal(batch[0][1], softened.targets[order])
    some = softened.take([2, 0])
    assert some.targets is not None
    assert np.array_equal(some.targets, softened.targets[[2, 0]])


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
    assert soft.softened(loaded, teaching, Configuration()).targets is None


def test_predictions_by_networks_that_know_other_patients_are_refused(table: Path, loaded: pictures.Pictures) -> None:
    with pytest.raises(errors.InvalidPredictions, match="--teaching"):
        soft.softened(loaded, splits.split(loaded.dataset, 2)["fit"], recipe(table, seed=2))


def test_a_package_says_what_taught_it(table: Path, phantoms: Path, tmp_path: Path) -> None:
    out = tmp_path / "package"
    options = ["--soft-targets", str(table), "--soft-share", "0.3", "--work", str(tmp_path / "work"), "--out", str(out)]
    assert main(["train", str(phantoms), *RECIPE, *options]) == 0

    config = read(out)[0].origin.config
    assert config["soft_targets"] == soft.named(str(table))
    assert config["soft_targets"].startswith("out_of_fold.csv, sha256 ")
    assert config["soft_share"] == 0.3


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
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *options = [str(table) if word == "FILE" else word for word in command]
    assert main([name, str(phantoms), *RECIPE, *options]) == 2
    said = capsys.readouterr().err
    assert f"error: {code}: " in said
    assert "decoding" not in said
