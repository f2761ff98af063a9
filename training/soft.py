"""Targets that a picture's label and other networks share: out-of-fold predictions of a cross-validation teach the next network.

Labels of this data set are partly wrong (the kind of pneumonia above all). What networks say that never saw the patient holds what the
other patients' labels have in common, and not this label's own error: distillation with cross-fitting (Dao et al., "Knowledge distillation
as semiparametric inference", 2021), with the label kept in the mixture as in Reed et al., "Training deep neural networks on noisy labels
with bootstrapping", 2014.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training import errors, predictions
from training.configuration import Configuration
from training.dataset import KINDS
from training.pictures import Pictures


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
        raise errors.InvalidPredictions(f"Expected a CSV file with predictions. Received: {file}: {error.strerror}.") from error


def refuse(configuration: Configuration) -> None:
    """Refuse a cross-validation by a recipe with soft targets: they know the labels of patients who are held out from a fold.

    Raises:
        errors.SeenInTraining: the recipe has some.
    """
    if configuration.soft_targets:
        raise errors.SeenInTraining(
            f"Expected a recipe without soft_targets. Received: {configuration.soft_targets}, predictions of networks that learned from "
            "patients who would be held out."
        )


def softened(pictures: Pictures, positions: Sequence[int], configuration: Configuration) -> Pictures:
    """Return the pictures at these positions, with the targets that the recipe asks for.

    Of what the networks say of a picture the mean over all simulated shifts is taken, and divided by each label's share of the pictures:
    the loss of `training.batches` weighs all labels alike, and what it leads to is the posterior of labels that are equally frequent.

    Args:
        pictures: of the data set.
        positions: of those that teach.
        configuration: the recipe.

    Raises:
        errors.InvalidPredictions: the file cannot be read, or is not about just these pictures.
    """
    taken = pictures.take(positions)
    if not configuration.soft_targets:
        return taken
    file = Path(configuration.soft_targets)
    said = predictions.read(file, KINDS)
    paths = [pictures.dataset.samples[position].path for position in positions]
    if others := set(said.file) ^ set(paths):
        raise errors.InvalidPredictions(
            f"Expected predictions of the {len(paths)} pictures that teach, as `pneumonia crossval --teaching` leaves them for this data "
            f"set and seed {configuration.seed}. Received: {file}, which has others or lacks some, {len(others)} in all."
        )
    share, labels = configuration.soft_share, np.eye(len(KINDS))[taken.labels]
    even = _means(said, paths) / labels.mean(axis=0)
    even /= even.sum(axis=1, keepdims=True)
    return taken._replace(targets=(share * even + (1.0 - share) * labels).astype(np.float32))


def _means(said: predictions.Predictions, paths: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the mean over the shifts of each picture's probabilities, array (N, K) in the order of the paths."""
    place = {path: row for row, path in enumerate(paths)}
    rows = np.array([place[str(path)] for path in said.file])
    sums, counts = np.zeros((len(paths), said.probabilities.shape[1])), np.bincount(rows, minlength=len(paths))
    np.add.at(sums, rows, said.probabilities)
    return np.asarray(sums / counts[:, np.newaxis])
