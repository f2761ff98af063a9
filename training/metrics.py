"""Figures of merit, with 95 % confidence intervals by bootstrap over patients.

Pictures of one patient resemble each other, so patients are drawn, not pictures. Arrays in, floats of four decimals out: these go into the
manifest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from core.manifest import Interval

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Statistic = Callable[[Truth, Floats], float]

ROUNDS = 1000


def auroc(truth: Truth, probability: Floats) -> float:
    """Area under the ROC curve; NaN where only one class is there."""
    return float(roc_auc_score(truth, probability)) if truth.any() and not truth.all() else float("nan")


def auprc(truth: Truth, probability: Floats) -> float:
    """Average precision; NaN where no positive is there."""
    return float(average_precision_score(truth, probability)) if truth.any() else float("nan")


def sensitivity(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the true positives that are called positive; NaN where there are none."""
    return float(np.mean(positive[truth])) if truth.any() else float("nan")


def specificity(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the true negatives that are called negative; NaN where there are none."""
    return float(1.0 - np.mean(positive[~truth])) if not truth.all() else float("nan")


def accuracy(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the pictures that are called right."""
    return float(np.mean(truth == (positive > 0)))


def calibration_error(truth: Truth, probability: Floats, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins of the probability of pneumonia (Naeini et al., AAAI 2015)."""
    places = np.minimum((probability * bins).astype(np.int64), bins - 1)
    gaps = [abs(float(np.sum(truth[places == place]) - np.sum(probability[places == place]))) for place in range(bins)]
    return sum(gaps) / len(truth)


def negative_log_likelihood(probabilities: Floats, labels: npt.NDArray[np.int64], weights: Floats | None = None) -> float:
    """Mean of -log p(label), for probabilities (N, K) and labels (N,), weighted where weights (N,) are given."""
    own = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)
    return float(np.average(-np.log(own), weights=weights))


def interval(statistic: Statistic, truth: Truth, value: npt.NDArray[Any], groups: npt.NDArray[Any], seed: int = 0) -> Interval:
    """Return a statistic with its 95 % interval: percentiles 2.5 and 97.5 over draws of whole patients, with replacement.

    Args:
        statistic: (truth, value) -> proportion in [0, 1], or NaN, which a draw without one class gives and which is left out.
        truth: bool array (N,).
        value: array (N,), probabilities or decisions.
        groups: array (N,), the patient of each picture.
        seed: of the draws.
    """
    _, patient = np.unique(groups, return_inverse=True)
    order = np.argsort(patient, kind="stable")
    rows_of = np.split(order, np.flatnonzero(np.diff(patient[order])) + 1)
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(ROUNDS):
        rows = np.concatenate([rows_of[drawn] for drawn in rng.integers(len(rows_of), size=len(rows_of))])
        draws.append(statistic(truth[rows], value[rows]))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    measured = statistic(truth, value)
    return Interval(value=round(measured, 4), low=round(min(float(low), measured), 4), high=round(max(float(high), measured), 4))
