"""One training run from folder to package: index, load, split, fit, calibrate, measure, export. Called by `pneumonia train`."""

import logging
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract
from training import calibrate, dataset, errors, metrics, networks, origin, shifts, splits
from training.augment import SHIFTS
from training.configuration import Configuration
from training.dataset import KINDS
from training.fit import Judge, fit
from training.pictures import Pictures, load

_log = logging.getLogger(__name__)

RUN_FILE: Final = "run.json"
_PREDICT_BATCH: Final = 64


class Trained(NamedTuple):
    """What a run has learned, and from what."""

    model: keras.Model
    pictures: Pictures
    split: splits.Split
    contract: InputContract
    configuration: Configuration


def train(folder: Path, configuration: Configuration, work: Path) -> Trained:
    """Train on a data set folder, or go on with the run in `work`.

    Raises:
        errors.TrainingError: one of its leaves, before any time is spent on learning where that can be told.
    """
    contract = networks.input_contract(configuration.arch)
    indexed = dataset.index(folder)
    pictures = load(indexed, contract)
    split = splits.split(pictures.dataset, configuration.seed)
    _claim(work, configuration, pictures.dataset.sha256)
    for part, positions in split.items():
        patients = len(set(pictures.groups[list(positions)]))
        _log.info("%s: %d pictures of %d patients", part, len(positions), patients)
    judge = judge_on(pictures.take(split["tune"]), contract)
    model = fit(pictures.take(split["fit"]), len(KINDS), configuration, contract, judge, work)
    return Trained(model, pictures, split, contract, configuration)


def judge_on(tune: Pictures, contract: InputContract) -> Judge:
    """Return what judges an epoch: loss and AUROC over the tune pictures, plain and each under one simulated shift.

    The loss gives every class the same weight and is taken after the best temperature: label smoothing and long training change how sure
    the network is, which calibration undoes, and that must not choose the epoch.
    """
    grey = np.concatenate([tune.grey, shifts.shifted(tune.grey, SHIFTS[1:])])
    labels = np.concatenate([tune.labels, tune.labels])
    weights = (1.0 / np.bincount(labels, minlength=len(KINDS)).clip(1))[labels]

    def judge(model: keras.Model) -> dict[str, float]:
        raw = shifts.predict(predictor(model), grey, contract)
        probabilities = calibrate.soften(raw, calibrate.fit_temperature(raw, labels, weights))
        pneumonia, half = 1.0 - probabilities[:, 0], len(tune.labels)
        return {
            "loss": metrics.negative_log_likelihood(probabilities, labels, weights),
            "auroc": metrics.auroc(labels[:half] > 0, pneumonia[:half]),
            "auroc_shifted": metrics.auroc(labels[half:] > 0, pneumonia[half:]),
        }

    return judge


def predictor(model: keras.Model) -> shifts.Predict:
    """Return a function that gives the probabilities of a model that ends in logits."""

    def predict(values: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        logits = np.asarray(model.predict(values, batch_size=_PREDICT_BATCH, verbose=0), dtype=np.float64)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    return predict


def _claim(work: Path, configuration: Configuration, dataset_sha256: str) -> None:
    """Write down what the work folder is for; a run of something else must not go on in it."""
    record = {
        "dataset_sha256": dataset_sha256,
        "recipe": origin.recipe(configuration),
        "initial_weights": origin.initial_weights(configuration.weights),
    }
    wanted = msgspec.json.encode(record, order="sorted")
    path = work / RUN_FILE
    if path.is_file() and path.read_bytes() != wanted:
        raise errors.RunMismatch(
            f"Expected a new folder or the one of the same run (data set, configuration, seed). Received: {work}, which holds another; "
            "give another --work or remove it."
        )
    work.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wanted)
