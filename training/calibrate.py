"""Temperature and operating points, chosen on the tune patients under simulated shift, never from one lucky threshold.

On plain pictures of the same hospital every threshold from .3 to .95 looks equal, so the best point of that flat curve means nothing. The
rule here leaves margin on the specificity side, where models of this data set fail: the highest threshold that keeps a required sensitivity
when the pictures are shifted.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training.metrics import patient_draws

Floats = npt.NDArray[np.float64]

SCREENING: Final = "screening"
BALANCED: Final = "balanced"
RULE_IN: Final = "rule_in"
POINTS: Final = (SCREENING, BALANCED, RULE_IN)
"""In the order of their thresholds."""

SCREENING_SENSITIVITY: Final = 0.99
BALANCED_SENSITIVITY: Final = 0.97
RULE_IN_SPECIFICITY: Final = 0.99

DRAWS: Final = 200

_CANDIDATES: Final = 741  # temperatures half a per cent apart
COLDEST: Final = 0.25
"""The lowest temperature that is tried."""
HOTTEST: Final = 10.0
"""The highest."""
_STRIDE: Final = 20
_STEPS: Final = 10_000  # thresholds have four decimals
_SMALLEST: Final = 1e-12  # as in core.classifier.calibrate


class Requirements(NamedTuple):
    """What each operating point must keep under all simulated shifts; all in (0, 1)."""

    screening_sensitivity: float = SCREENING_SENSITIVITY
    balanced_sensitivity: float = BALANCED_SENSITIVITY
    rule_in_specificity: float = RULE_IN_SPECIFICITY


REQUIREMENTS: Final = Requirements()


class Threshold(NamedTuple):
    """A named threshold on the probability of pneumonia and its zone of indeterminate probabilities, [zone_from, zone_to)."""

    name: str
    value: float
    zone_from: float
    zone_to: float


def soften(probabilities: npt.NDArray[Any], temperature: float) -> Floats:
    """Apply a temperature to many pictures: `core.classifier.calibrate` over the last axis (a test holds the two together).

    Args:
        probabilities: array (..., K), in [0, 1].
        temperature: above 1 softens, below 1 sharpens.

    Returns:
        float64 array (..., K), sum 1 over the last axis.
    """
    return softmax(logits(probabilities) / temperature)


def logits(probabilities: npt.NDArray[Any]) -> Floats:
    """Return logits of which these (..., K) are the softmax; a probability of 0 counts as 1e-12."""
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)))


def softmax(values: Floats) -> Floats:
    """Return the probabilities of logits (..., K), over the last axis."""
    odds = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def fit_temperature(probabilities: npt.NDArray[Any], labels: npt.NDArray[np.int64], weights: Floats | None = None) -> float:
    """Return the temperature in [0.25, 10] with the least negative log-likelihood, rounded to four decimals.

    Args:
        probabilities: array (N, K), of the network.
        labels: int64 array (N,).
        weights: array (N,), how much each picture counts; None counts all alike.
    """
    return fit_temperature_to(probabilities, np.eye(probabilities.shape[1], dtype=bool)[labels], weights)


def fit_temperature_to(probabilities: npt.NDArray[Any], possible: npt.NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Return what `fit_temperature` does, for pictures of which several labels may be true: pneumonia whose kind nobody tells.

    Args:
        probabilities: array (N, K), of the network.
        possible: bool array (N, K), the labels that a picture may have; the likelihood is that of any of them.
        weights: array (N,), how much each picture counts; None counts all alike.
    """

    def loss(candidate: float) -> float:
        likelihood = np.sum(soften(probabilities, candidate), axis=1, where=possible)
        return float(np.average(-np.log(np.maximum(likelihood, _SMALLEST)), weights=weights))

    # Coarse, then fine around the best: the loss has one valley.
    candidates = np.geomspace(COLDEST, HOTTEST, _CANDIDATES)
    best = int(np.argmin([loss(float(candidate)) for candidate in candidates[::_STRIDE]])) * _STRIDE
    near = candidates[max(0, best - _STRIDE) : best + _STRIDE + 1]
    return round(float(near[int(np.argmin([loss(float(candidate)) for candidate in near]))]), 4)


def choose_thresholds(pneumonia: Floats, truth: npt.NDArray[np.bool_], requirements: Requirements = REQUIREMENTS) -> tuple[Threshold, ...]:
    """Choose the operating points `screening`, `balanced` and `rule_in`, in this order of thresholds.

    Between screening and rule_in the balanced point calls a picture indeterminate; the other two always decide.

    Args:
        pneumonia: array (N,), calibrated probabilities of pneumonia under all simulated shifts.
        truth: bool array (N,), whether pneumonia is there; both values occur.
        requirements: what each point must keep.
    """
    return _in_order(*_choose(pneumonia, truth, requirements))


def choose_stable_thresholds(
    pneumonia: Floats, truth: npt.NDArray[np.bool_], groups: npt.NDArray[Any], requirements: Requirements = REQUIREMENTS
) -> tuple[tuple[Threshold, ...], dict[str, tuple[float, float]]]:
    """Choose as `choose_thresholds` does, on many draws of patients, and take the median: no point hangs on a few pictures.

    Args:
        pneumonia: array (N,), calibrated probabilities of pneumonia under all simulated shifts.
        truth: bool array (N,), whether pneumonia is there; both values occur.
        groups: array (N,), the patient of each picture.
        requirements: what each point must keep.

    Returns:
        The thresholds, and for each name where 95 % of the draws put it.
    """
    draws = []
    for rows in patient_draws(groups, DRAWS):
        if truth[rows].any() and not truth[rows].all():
            draws.append(_choose(pneumonia[rows], truth[rows], requirements))
    low, middle, high = np.percentile(draws, [2.5, 50.0, 97.5], axis=0).round(4).tolist()
    spread = {name: (low[place], high[place]) for place, name in enumerate(POINTS)}
    return _in_order(*middle), spread


def _choose(pneumonia: Floats, truth: npt.NDArray[np.bool_], requirements: Requirements) -> tuple[float, float, float]:
    screening = _keeping_sensitivity(pneumonia[truth], requirements.screening_sensitivity)
    balanced = max(screening, _keeping_sensitivity(pneumonia[truth], requirements.balanced_sensitivity))
    rule_in = max(balanced, _keeping_specificity(pneumonia[~truth], requirements.rule_in_specificity))
    return screening, balanced, rule_in


def _in_order(screening: float, balanced: float, rule_in: float) -> tuple[Threshold, ...]:
    return (
        Threshold(SCREENING, screening, screening, screening),
        Threshold(BALANCED, balanced, screening, rule_in),
        Threshold(RULE_IN, rule_in, rule_in, rule_in),
    )


def _keeping_sensitivity(positives: Floats, required: float) -> float:
    """Return the highest threshold at which at least `required` of these probabilities reach it, rounded down."""
    missable = math.floor(len(positives) * (1.0 - required) + 1e-9)
    return math.floor(float(np.sort(positives)[missable]) * _STEPS) / _STEPS


def _keeping_specificity(negatives: Floats, required: float) -> float:
    """Return the lowest threshold under which at least `required` of these probabilities lie, rounded up."""
    needed = max(1, math.ceil(len(negatives) * required - 1e-9))
    return min(1.0, math.floor(float(np.sort(negatives)[needed - 1]) * _STEPS + 1.0) / _STEPS)
