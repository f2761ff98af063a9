"""Figures with their intervals, or the reason why there are none: what an `Evaluation` is made of."""

import math
from typing import Any, Final

import numpy.typing as npt

from training import metrics
from training.evaluation import Estimate, Rates
from training.metrics import Statistic, Truth

Groups = npt.NDArray[Any]

NO_PNEUMONIA: Final = "no picture with pneumonia is there"
NO_NORMAL: Final = "no normal picture is there"
BOTH: Final = "pictures of both classes are needed"


def estimate(statistic: Statistic, truth: Truth, value: npt.NDArray[Any], groups: Groups, why_not: str) -> Estimate:
    """Return a figure with its interval over draws of patients.

    Args:
        statistic: (truth, value) -> a figure, or NaN.
        truth: bool array (N,).
        value: array (N, …).
        groups: array (N,), the patient of each picture.
        why_not: the reason that is given where the figure is NaN or no picture is there.
    """
    if not len(truth) or math.isnan(statistic(truth, value)):
        return Estimate(value=None, why_not=why_not)
    measured, low, high = metrics.bounds(statistic, truth, value, groups)
    return Estimate(value=round(measured, 4), low=round(low, 4), high=round(high, 4))


def rates(truth: Truth, called: Truth, groups: Groups) -> Rates:
    """Return the figures of yes-or-no decisions, bool array (N,)."""
    both = BOTH if len(truth) else "no picture is left"
    return Rates(
        accuracy=estimate(metrics.accuracy, truth, called, groups, both),
        balanced_accuracy=estimate(metrics.balanced_accuracy, truth, called, groups, both),
        sensitivity=estimate(metrics.sensitivity, truth, called, groups, NO_PNEUMONIA),
        specificity=estimate(metrics.specificity, truth, called, groups, NO_NORMAL),
        positive_predictive_value=estimate(metrics.positive_predictive_value, truth, called, groups, "no picture is called positive"),
        negative_predictive_value=estimate(metrics.negative_predictive_value, truth, called, groups, "no picture is called negative"),
    )
