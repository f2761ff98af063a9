"""Figures of merit, with 95 % confidence intervals by bootstrap over patients; figures of 0 and 1 have such that do not call them certain.

Pictures of one patient resemble each other, so patients are drawn, not pictures. The areas are written out here, where scikit-learn has
them too: a bootstrap asks a thousand times, and theirs takes ten times as long. A test holds the two together.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.manifest import Interval

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Statistic = Callable[[Truth, Floats], float]

ROUNDS = 1000
INTERVALS: Final = f"95 %, percentile bootstrap over patients, {ROUNDS} draws; of a figure of exactly 0 or 1 by the number of patients"
"""How the intervals are made, for cards and reports."""
_Z: Final = 1.959964  # 95 % of a normal distribution lie within
_TAIL: Final = 0.025  # beyond each end
_GRID: Final = np.linspace(-10.0, 10.0, 801)  # standard deviations, for integrals
_HALVINGS: Final = 40


def auroc(truth: Truth, probability: Floats) -> float:
    """Area under the ROC curve by ranks, ties at their middle (Mann and Whitney, 1947); NaN where only one class is there."""
    positives = int(np.count_nonzero(truth))
    pairs = positives * (len(truth) - positives)
    if not pairs:
        return float("nan")
    return float((_ranks(probability)[truth].sum() - positives * (positives + 1) / 2.0) / pairs)


def auprc(truth: Truth, probability: Floats) -> float:
    """Average precision: the sum of precision times the gain in recall, over falling thresholds; NaN where no positive is there."""
    if not truth.any():
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    found, ends = np.cumsum(truth[order]), np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    return float(np.sum(np.diff(found[ends], prepend=0) * found[ends] / (ends + 1)) / found[-1])


def sensitivity(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the true positives that are called positive; NaN where there are none."""
    return float(np.mean(positive[truth])) if truth.any() else float("nan")


def specificity(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the true negatives that are called negative; NaN where there are none."""
    return float(1.0 - np.mean(positive[~truth])) if not truth.all() else float("nan")


def accuracy(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the pictures that are called right."""
    return float(np.mean(truth == (positive > 0)))


def balanced_accuracy(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Mean of sensitivity and specificity; NaN where only one class is there."""
    return (sensitivity(truth, positive) + specificity(truth, positive)) / 2.0


def positive_predictive_value(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the pictures called positive that are; NaN where none is called positive."""
    return float(np.mean(truth[positive > 0])) if np.any(positive) else float("nan")


def negative_predictive_value(truth: Truth, positive: npt.NDArray[Any]) -> float:
    """Share of the pictures called negative that are; NaN where none is called negative."""
    return float(1.0 - np.mean(truth[positive == 0])) if not np.all(positive) else float("nan")


def brier(truth: Truth, probability: Floats) -> float:
    """Mean squared distance of the probability from what is true (Brier, 1950)."""
    return float(np.mean((probability - truth) ** 2))


def calibration_error(truth: Truth, probability: Floats, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins of the probability of pneumonia (Naeini et al., AAAI 2015)."""
    places = np.minimum((probability * bins).astype(np.int64), bins - 1)
    gaps = [abs(float(np.sum(truth[places == place]) - np.sum(probability[places == place]))) for place in range(bins)]
    return sum(gaps) / len(truth)


def rank_correlation(_truth: Truth, pair: Floats) -> float:
    """Correlation of the ranks of two columns, float64 array (N, 2), ties at their middle (Spearman, 1904); NaN where one is constant."""
    if len(pair) < 2 or not np.ptp(pair, axis=0).all():
        return float("nan")
    one, other = _ranks(pair[:, 0]), _ranks(pair[:, 1])
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / math.sqrt(float(one @ one) * float(other @ other)))


def negative_log_likelihood(probabilities: Floats, labels: npt.NDArray[np.int64], weights: Floats | None = None) -> float:
    """Mean of -log p(label), for probabilities (N, K) and labels (N,), weighted where weights (N,) are given."""
    own = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)
    return float(np.average(-np.log(own), weights=weights))


def _ranks(value: Floats) -> Floats:
    """Return the ranks from 1, ties at their middle: float64 array (N,)."""
    _, places, counts = np.unique(value, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    return ranks


def interval(statistic: Statistic, truth: Truth, value: npt.NDArray[Any], groups: npt.NDArray[Any], seed: int = 0) -> Interval:
    """Return a statistic with its 95 % interval: percentiles 2.5 and 97.5 over draws of whole patients, with replacement; else as `bounds`.

    Args:
        statistic: (truth, value) -> proportion in [0, 1], or NaN, which a draw without one class gives and which is left out.
        truth: bool array (N,).
        value: array (N,), probabilities or decisions.
        groups: array (N,), the patient of each picture.
        seed: of the draws.
    """
    measured, low, high = bounds(statistic, truth, value, groups, seed)
    return Interval(value=round(measured, 4), low=round(low, 4), high=round(high, 4))


def bounds(
    statistic: Statistic, truth: Truth, value: npt.NDArray[Any], groups: npt.NDArray[Any], seed: int = 0
) -> tuple[float, float, float]:
    """Return a statistic and the ends of its 95 % interval, as `interval` says.

    Where a figure is 0 or 1 every draw is, too, and the bootstrap would call it certain. The interval is then one over the patients that
    does not: Wilson's of a share and, with the positive patients as its number, of the AUPRC (Boyd et al. 2013); of the balanced accuracy
    the one that Wilson's of its halves give (MOVER, Zou and Donner 2008); of the AUROC that of Obuchowski and Lieber.
    """
    measured = statistic(truth, value)
    draws = (statistic(truth[rows], value[rows]) for rows in patient_draws(groups, ROUNDS, seed))
    return (measured, *ends(statistic, measured, draws, truth, value, groups))


def ends(
    statistic: Statistic, measured: float, draws: Iterable[float], truth: Truth, value: npt.NDArray[Any], groups: npt.NDArray[Any]
) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a statistic that was measured, as `bounds` says.

    Args:
        statistic: what was measured.
        measured: its value.
        draws: what it is over draws of whole patients; not asked for where they say nothing.
        truth: bool array (N,).
        value: array (N,), probabilities or decisions.
        groups: array (N,), the patient of each picture.
    """
    if measured in (0.0, 1.0) and statistic in _REACH:
        positives, negatives = len(set(groups[truth])), len(set(groups[~truth]))
        shared = _ROWS_OF[statistic](truth, value > 0) if statistic in _ROWS_OF else truth
        reach = _REACH[statistic](len(set(groups[shared])), positives, negatives)
        return (1.0 - reach, 1.0) if measured else (0.0, reach)
    low, high = (float(end) for end in np.nanpercentile(list(draws), [2.5, 97.5]))
    return min(low, measured), max(high, measured)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson, JASA 1927)."""
    share, square = count / of, _Z**2 / of
    centre, half = share + square / 2.0, _Z * math.sqrt(share * (1.0 - share) / of + square / (4.0 * of))
    return max(0.0, (centre - half) / (1.0 + square)), min(1.0, (centre + half) / (1.0 + square))


def obuchowski(positives: int, negatives: int) -> float:
    """Return how far below 1 an AUROC that was measured to be 1 may lie, with 95 % confidence.

    The area under which every positive lies above every negative in 1 of 40 draws, where both are normally distributed with one spread
    (after Obuchowski and Lieber, "Confidence bounds when the estimated ROC area is 1.0", Academic Radiology 2002).
    """
    highest: Floats = negatives * np.exp(-(_GRID**2) / 2.0) / math.sqrt(2.0 * math.pi) * _normal(_GRID) ** (negatives - 1)
    low, high = float(_GRID[0]), float(_GRID[-1])
    for _ in range(_HALVINGS):
        gap = (low + high) / 2.0
        apart = np.trapezoid(highest * _normal(gap - _GRID) ** positives, _GRID)
        low, high = (gap, high) if apart < _TAIL else (low, gap)
    return NormalDist().cdf(-high / math.sqrt(2.0))


def _normal(values: Floats) -> Floats:
    """Return the share of the standard normal distribution that lies below each value: float64 array (N,)."""
    return np.array([NormalDist().cdf(value) for value in values.tolist()])


def patient_draws(groups: npt.NDArray[Any], rounds: int, seed: int = 0) -> Iterator[npt.NDArray[np.int64]]:
    """Yield `rounds` times the rows of as many patients as there are, drawn with replacement.

    Args:
        groups: array (N,), the patient of each picture.
        rounds: how many draws.
        seed: of the draws.
    """
    names, patient = np.unique(groups, return_inverse=True)
    rng, rows = np.random.default_rng(seed), np.arange(len(groups))
    for _ in range(rounds):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        yield np.repeat(rows, times[patient])


_ROWS_OF: Final[dict[Statistic, Callable[[Truth, Truth], Truth]]] = {
    sensitivity: lambda truth, _: truth,
    specificity: lambda truth, _: ~truth,
    accuracy: lambda truth, _: np.ones_like(truth),
    positive_predictive_value: lambda _, called: called,
    negative_predictive_value: lambda _, called: ~called,
}
"""For each share the rows that it is a share of."""


def _reach(patients: int) -> float:
    """Return how far from 0 a share may lie that none of the patients has."""
    return wilson(0, patients)[1]


_REACH: Final[dict[Statistic, Callable[[int, int, int], float]]] = {
    **dict.fromkeys(_ROWS_OF, lambda of, _positives, _negatives: _reach(of)),
    auprc: lambda _of, positives, _negatives: _reach(positives),
    auroc: lambda _of, positives, negatives: obuchowski(positives, negatives),
    balanced_accuracy: lambda _of, positives, negatives: math.hypot(_reach(positives), _reach(negatives)) / 2.0,
}
"""How far from 0 or 1 a figure may lie that was measured to be that: of the patients of its rows, the positive and the negative ones."""
