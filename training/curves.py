"""ROC, precision and recall, reliability, and what each threshold would give, as numbers; `training.figures` draws them."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training import metrics
from training.evaluation import Curves, PrecisionRecallCurve, ReliabilityBin, RocCurve, ThresholdRow

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

BINS: Final = 10
STEPS: Final = 100


def all_of(truth: Truth, probability: Floats) -> Curves:
    """Return all curves of bool truths (N,) and probabilities (N,) in [0, 1]; those that need a class that is missing are None."""
    return Curves(
        roc=roc(truth, probability) if truth.any() and not truth.all() else None,
        precision_recall=precision_recall(truth, probability) if truth.any() else None,
        reliability=reliability(truth, probability),
        thresholds=tuple(at_threshold(truth, probability, step / STEPS) for step in range(STEPS + 1)),
    )


def roc(truth: Truth, probability: Floats) -> RocCurve:
    """Return the corners of the ROC curve; both classes are there."""
    thresholds, found, false = _cumulated(truth, probability)
    x, y = np.append(0, false) / np.count_nonzero(~truth), np.append(0, found) / np.count_nonzero(truth)
    corner = np.ones(len(x), dtype=bool)
    turn = np.diff(false, prepend=0)[:-1] * np.diff(found) - np.diff(found, prepend=0)[:-1] * np.diff(false)
    corner[1:-1] = turn != 0
    # Strict to lenient: above every probability nothing is called positive.
    return RocCurve(
        threshold=_rounded(np.append(1.0, thresholds)[corner]), false_positive_rate=_rounded(x[corner]), sensitivity=_rounded(y[corner])
    )


def precision_recall(truth: Truth, probability: Floats) -> PrecisionRecallCurve:
    """Return precision and recall at every probability that a picture with pneumonia has; there is one."""
    thresholds, found, false = _cumulated(truth, probability)
    changes = np.flatnonzero(np.diff(found, prepend=0))
    precision, recall = found / (found + false), found / found[-1]
    return PrecisionRecallCurve(
        threshold=_rounded(thresholds[changes]), precision=_rounded(precision[changes]), recall=_rounded(recall[changes])
    )


def reliability(truth: Truth, probability: Floats) -> tuple[ReliabilityBin, ...]:
    """Return the bins of equal width that hold pictures."""
    places = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    bins = []
    for place in map(int, np.unique(places)):
        inside = places == place
        low, high = metrics.wilson(int(truth[inside].sum()), int(inside.sum()))
        bins.append(
            ReliabilityBin(
                low=place / BINS,
                high=(place + 1) / BINS,
                pictures=int(inside.sum()),
                mean_probability=round(float(probability[inside].mean()), 4),
                share_with_pneumonia=round(float(truth[inside].mean()), 4),
                share_low=round(low, 4),
                share_high=round(high, 4),
            )
        )
    return tuple(bins)


def at_threshold(truth: Truth, probability: Floats, threshold: float) -> ThresholdRow:
    """Return what a threshold would give."""
    called = probability >= threshold
    return ThresholdRow(
        threshold=threshold,
        sensitivity=number(metrics.sensitivity(truth, called)),
        specificity=number(metrics.specificity(truth, called)),
        accuracy=round(metrics.accuracy(truth, called), 4),
        balanced_accuracy=number(metrics.balanced_accuracy(truth, called)),
        positive_predictive_value=number(metrics.positive_predictive_value(truth, called)),
        negative_predictive_value=number(metrics.negative_predictive_value(truth, called)),
    )


def number(value: float) -> float | None:
    """Return a figure with four decimals, or None for NaN, which JSON has no word for."""
    return None if math.isnan(value) else round(value, 4)


def _cumulated(truth: Truth, probability: Floats) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return each distinct probability, falling, with the true and the false positives at it."""
    order = np.argsort(-probability, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    found = np.cumsum(truth[order])[ends]
    return probability[order][ends], found, ends + 1 - found


def _rounded(values: npt.NDArray[Any]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
