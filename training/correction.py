"""What the last layer can undo and no temperature: how frequent a network takes the labels to be, and how sure it is of the kind.

Fitted on the tune patients. Called by `training.choices` for a package, and by `training.foldfiles` for the tables of a cross-validation
(docs/decisions/0027-kinds-and-pneumonia-are-sharpened-apart.md).
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training import calibrate, metrics

Floats = npt.NDArray[np.float64]

_NEWTON_STEPS: Final = 50
_LEAST_STEP: Final = 1e-7
_LEAST_SCALE: Final = 0.05  # a network that is worse than chance is not turned around


class Correction(NamedTuple):
    """What is done to the logits of a network so that one temperature then makes all its probabilities come true.

    `kinds_factor`: what the distances of the kinds' logits from their mean are multiplied by. `bias`: float64 array (K,), mean 0, added
    after.
    """

    kinds_factor: float
    bias: Floats

    @property
    def matrix(self) -> Floats:
        """What the logits, a column, are multiplied by before the bias: float64 array (K, K), rows that sum to 1."""
        count = len(self.bias)
        matrix = np.eye(count)
        matrix[1:, 1:] = self.kinds_factor * matrix[1:, 1:] + (1.0 - self.kinds_factor) / (count - 1)
        return matrix

    def apply(self, probabilities: npt.NDArray[Any]) -> Floats:
        """Return what the corrected network says where the network said this, before any temperature: float64 array (..., K), as given."""
        return calibrate.softmax(calibrate.logits(probabilities) @ self.matrix.T + self.bias)


def fit_correction(probabilities: npt.NDArray[Any], labels: npt.NDArray[np.int64], views: int = 1) -> Correction:
    """Return the correction after which one temperature makes pneumonia and kind come true, and each label as frequent as it is.

    A loss that weighs all classes alike answers as if they were equally frequent; the bias undoes that. And a network is surer of the kind
    of a pneumonia, whose labels are weak, than of the pneumonia itself: one temperature cannot undo both, so the kinds get a factor of
    their own: matrix scaling (Guo et al., "On calibration of modern neural networks", 2017) with one free parameter. The kinds' distances
    are those from their mean, which alone is linear and can be part of a layer. Bias, factor and temperature are the most probable
    together, each with a normal prior of standard deviation 1 about no correction: a few pictures that are told apart by chance do not
    make the network certain.

    Args:
        probabilities: array (N, K), of the network; label 0 is the negative one, the others are kinds of the positive.
        labels: int64 array (N,). Where fewer than two kinds occur, the kinds stay as they are.
        views: how many rows show one picture; together they count as one.
    """
    count = probabilities.shape[1]
    logits = calibrate.logits(probabilities)
    apart = np.zeros_like(logits)
    apart[:, 1:] = logits[:, 1:] - logits[:, 1:].mean(axis=1, keepdims=True)
    scaled = [logits - apart, apart] if len(np.unique(labels[labels > 0])) > 1 else [logits]
    design = np.stack([*scaled, *(np.broadcast_to(row, logits.shape) for row in np.eye(count))], axis=-1)
    found = _most_probable(design, labels, np.r_[np.ones(len(scaled)), np.zeros(count)], views)
    scales, bias = np.maximum(found[: len(scaled)], _LEAST_SCALE), found[len(scaled) :]
    return Correction(float(scales[-1] / scales[0]), (bias - bias.mean()) / scales[0])


def _most_probable(design: Floats, labels: npt.NDArray[np.int64], start: Floats, views: int) -> Floats:
    """Return the parameters P of a conditional logit model, by Newton's method: the logarithm of their probability is concave.

    Args:
        design: array (N, K, P); times the parameters it gives the logits.
        labels: int64 array (N,).
        start: array (P,), the prior's mean; its standard deviations are 1.
        views: how many rows count as one.
    """
    truth = np.eye(design.shape[1])[labels]

    def loss(parameters: Floats) -> float:
        mean = metrics.negative_log_likelihood(calibrate.softmax(design @ parameters), labels)
        return mean * len(labels) / views + float(((parameters - start) ** 2).sum()) / 2.0

    found = start
    for _ in range(_NEWTON_STEPS):
        said = calibrate.softmax(design @ found)
        gradient = np.einsum("nk,nkp->p", said - truth, design) / views + found - start
        centred = design - np.einsum("nk,nkp->np", said, design)[:, np.newaxis]
        curvature = np.einsum("nk,nkp,nkq->pq", said, centred, centred) / views + np.eye(len(start))
        step, before = np.linalg.solve(curvature, gradient), loss(found)
        while loss(found - step) > before and np.abs(step).max() > _LEAST_STEP:
            step = step / 2.0
        found = found - step
        if np.abs(step).max() < _LEAST_STEP:
            break
    return found
