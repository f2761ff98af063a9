"""Targets that a picture's label and other networks share: out-of-fold predictions of a cross-validation teach the next network.

Labels of this data set are partly wrong (the kind of pneumonia above all). What networks say that never saw the patient holds what the
other patients' labels have in common, and not this label's own error: distillation with cross-fitting (Dao et al., "Knowledge distillation
as semiparametric inference", 2021), with the label kept in the mixture as in Reed et al., "Training deep neural networks on noisy labels
with bootstrapping", 2014. Called by `training.experiment`.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from training import errors, predictions
from training.calibrate import fit_temperature, soften
from training.configuration import Configuration
from training.names import KINDS, NORMAL
from training.pictures import Pictures

_WITHOUT: Final = "Give --soft-targets '' to go without."
_ELSE: Final = f"Give --soft-targets FILE where it lies elsewhere. {_WITHOUT}"


def named(file: str) -> str:
    """Return the name and the digest of a file of predictions, as a recipe is recorded; "" stays "".

    Raises:
        errors.InvalidPredictions: it cannot be read.
    """
    if not file:
        return ""
    try:
        return f"{Path(file).name}, sha256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()}"
    except OSError as error:
        raise errors.InvalidPredictions(f"Expected a CSV file with predictions. Received: {file}: {error.strerror}. {_ELSE}") from error


def refuse(configuration: Configuration) -> None:
    """Refuse a cross-validation by a recipe with soft targets: they know the labels of patients who are held out from a fold.

    Raises:
        errors.SeenInTraining: the recipe has some.
    """
    if configuration.soft_targets:
        raise errors.SeenInTraining(
            f"Expected a recipe without soft_targets. Received: {configuration.soft_targets}, predictions of networks that learned from "
            f"patients who would be held out. {_WITHOUT}"
        )


def read(configuration: Configuration) -> predictions.Predictions | None:
    """Return what other networks said, where the recipe asks for it.

    Raises:
        errors.InvalidPredictions: the file cannot be read or is not what it should be.
    """
    if not configuration.soft_targets:
        return None
    named(configuration.soft_targets)  # where the file is gone this says what to do
    return predictions.read(Path(configuration.soft_targets), KINDS)


def softened(pictures: Pictures, positions: Sequence[int], configuration: Configuration, said: predictions.Predictions | None) -> Pictures:
    """Return the pictures at these positions, with the targets that the recipe asks for.

    What the networks say is calibrated by one temperature and divided by each label's share of the pictures, since the loss of
    `training.batches` weighs all labels alike: what it leads to is the posterior of labels that are equally frequent. Of a picture the mean
    over all simulated shifts is taught.

    Args:
        pictures: of the data set.
        positions: of those that teach.
        configuration: the recipe.
        said: what `read` gave.

    Returns:
        The pictures, with `targets`, float32 array (N, K) in [0, 1], where something was said.

    Raises:
        errors.InvalidPredictions: it was not said about just these pictures with these labels.
    """
    taken = pictures.take(positions)
    if said is None:
        return taken
    file = configuration.soft_targets
    paths = taken.paths.tolist()
    told = set(zip(said.file, said.label, strict=True))
    if others := told ^ {(path, KINDS[label]) for path, label in zip(paths, taken.labels, strict=True)}:
        raise errors.InvalidPredictions(
            f"Expected predictions of the {len(paths)} pictures that teach, as `pneumonia crossval --teaching` leaves them for this data "
            f"set and seed {configuration.seed}. Received: {file}, which has others or lacks some, {len(others)} in all."
        )
    share, labels = configuration.soft_share, np.eye(len(KINDS))[taken.labels]
    place = {path: row for row, path in enumerate(paths)}
    rows = np.array([place[str(path)] for path in said.file])
    even = evened(said.probabilities, taken.labels[rows])
    means = np.zeros(labels.shape)
    np.add.at(means, rows, even / np.bincount(rows)[rows, np.newaxis])
    if configuration.soft_labels == "kinds":
        means = of_kinds(means, labels)
    return taken._replace(targets=(share * means + (1.0 - share) * labels).astype(np.float32))


def of_kinds(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the probabilities of the kinds given what the label says of normal: float64 array (N, K), rows that sum to 1.

    Args:
        probabilities: array (N, K) in [0, 1]; kinds that have none share alike.
        labels: array (N, K) of 0 and 1, a 1 in each row.
    """
    normal = KINDS.index(NORMAL)
    kinds = np.maximum(probabilities, np.finfo(np.float64).tiny)
    kinds[:, normal] = 0.0
    return np.where(labels[:, [normal]] == 1.0, labels, kinds / kinds.sum(axis=1, keepdims=True))


def evened(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the calibrated posterior that would hold if all labels were equally frequent: float64 array (N, K), rows that sum to 1.

    Args:
        probabilities: array (N, K), calibrated but for a temperature.
        labels: int64 array (N,); each of the K occurs.
    """
    calibrated = soften(probabilities, fit_temperature(probabilities, labels))
    even = calibrated / np.bincount(labels, minlength=probabilities.shape[1])
    return np.asarray(even / even.sum(axis=1, keepdims=True))
