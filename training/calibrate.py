"""Temperature and operating points, chosen on the tune patients under simulated shift, never from one lucky threshold.

On plain pictures of the same hospital every threshold from .3 to .95 looks equal, so the best point of that flat curve means nothing. The
rule here leaves margin on the specificity side, where models of this data set fail: the highest threshold that keeps a required sensitivity
when the pictures are shifted.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training.metrics import negative_log_likelihood

Floats = npt.NDArray[np.float64]

SCREENING: Final = "screening"
BALANCED: Final = "balanced"
RULE_IN: Final = "rule_in"

SCREENING_SENSITIVITY: Final = 0.99
BALANCED_SENSITIVITY: Final = 0.97
RULE_IN_SPECIFICITY: Final = 0.99

RULE: Final = (
    f"Thresholds were chosen on the tune patients under all simulated shifts: `{BALANCED}` is the highest that keeps sensitivity "
    f"{BALANCED_SENSITIVITY}, `{SCREENING}` the highest that keeps {SCREENING_SENSITIVITY}, `{RULE_IN}` the lowest that keeps specificity "
    f"{RULE_IN_SPECIFICITY}, but not below `{BALANCED}`. Sensitivity and specificity were measured on the test patients."
)

_CANDIDATES: Final = 741  # temperatures half a per cent apart
_STEPS: Final = 10_000  # thresholds have four decimals
_SMALLEST: Final = 1e-12  # as in core.classifier.calibrate


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
    logits = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)) / temperature
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def fit_temperature(probabilities: npt.NDArray[Any], labels: npt.NDArray[np.int64], weights: Floats | None = None) -> float:
    """Return the temperature in [0.25, 10] with the least negative log-likelihood, rounded to four decimals.

    Args:
        probabilities: array (N, K), of the network.
        labels: int64 array (N,).
        weights: array (N,), how much each picture counts; None counts all alike.
    """
    candidates = np.geomspace(0.25, 10.0, _CANDIDATES)
    losses = [negative_log_likelihood(soften(probabilities, float(candidate)), labels, weights) for candidate in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def choose_thresholds(pneumonia: Floats, truth: npt.NDArray[np.bool_]) -> tuple[Threshold, ...]:
    """Choose the operating points `screening`, `balanced` and `rule_in`, in this order of thresholds.

    Between screening and rule_in the balanced point calls a picture indeterminate; the other two always decide.

    Args:
        pneumonia: array (N,), calibrated probabilities of pneumonia under all simulated shifts.
        truth: bool array (N,), whether pneumonia is there; both values occur.
    """
    screening = _keeping_sensitivity(pneumonia[truth], SCREENING_SENSITIVITY)
    balanced = max(screening, _keeping_sensitivity(pneumonia[truth], BALANCED_SENSITIVITY))
    rule_in = max(balanced, _keeping_specificity(pneumonia[~truth], RULE_IN_SPECIFICITY))
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
