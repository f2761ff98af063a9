"""What the exported network does on the test patients, who chose nothing: the figures of the manifest and the card."""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from core import drift
from core.manifest import Interval, OperatingPoint
from training import metrics
from training.augment import SHIFTS
from training.calibrate import BALANCED, Threshold
from training.names import BACTERIAL, KINDS, NORMAL, VIRAL
from training.pictures import Pictures

Floats = npt.NDArray[np.float64]

_NORMAL: Final = KINDS.index(NORMAL)
_BACTERIAL: Final = KINDS.index(BACTERIAL)
_VIRAL: Final = KINDS.index(VIRAL)


def pneumonia_of(probabilities: npt.NDArray[Any]) -> Floats:
    """Return the probability of pneumonia, 1 - that of normal: array (..., K) to float64 array (...)."""
    return np.asarray(1.0 - probabilities[..., _NORMAL], dtype=np.float64)


def operating_points(thresholds: tuple[Threshold, ...], probabilities: Floats, test: Pictures) -> tuple[OperatingPoint, ...]:
    """Return the points with what they give on the test pictures, plain; an indeterminate picture counts by its side of the threshold.

    Args:
        thresholds: as chosen on the tune patients.
        probabilities: calibrated, (N, K).
        test: the same N pictures.
    """
    truth, pneumonia = test.labels != _NORMAL, pneumonia_of(probabilities)
    return tuple(
        OperatingPoint(
            name=threshold.name,
            threshold=threshold.value,
            indeterminate_from=threshold.zone_from,
            indeterminate_to=threshold.zone_to,
            sensitivity=metrics.interval(metrics.sensitivity, truth, pneumonia >= threshold.value, test.groups),
            specificity=metrics.interval(metrics.specificity, truth, pneumonia >= threshold.value, test.groups),
        )
        for threshold in thresholds
    )


def figures(points: tuple[OperatingPoint, ...], probabilities: Floats, test: Pictures) -> dict[str, Any]:
    """Return the open record `metrics` of the manifest.

    Args:
        points: measured operating points; decisions are those of `balanced`.
        probabilities: calibrated, (len(SHIFTS), N, K), plain pictures first; K is that of KINDS.
        test: the same N pictures.
    """
    truth, pneumonia = test.labels != _NORMAL, pneumonia_of(probabilities[0])
    balanced = next(point for point in points if point.name == BALANCED)
    called = pneumonia >= balanced.threshold
    between = (pneumonia >= balanced.indeterminate_from) & (pneumonia < balanced.indeterminate_to)
    record: dict[str, Interval | float | int | str | list[float] | dict[str, Any] | None] = {
        "measured_on": "test patients of the same data set, held out by patient; pictures as they are",
        "intervals": metrics.INTERVALS,
        "pictures": len(truth),
        "patients": len(set(test.groups)),
        "auroc": metrics.interval(metrics.auroc, truth, pneumonia, test.groups),
        "auprc": metrics.interval(metrics.auprc, truth, pneumonia, test.groups),
        "accuracy": metrics.interval(metrics.accuracy, truth, called, test.groups),
        "sensitivity": balanced.sensitivity,
        "specificity": balanced.specificity,
        "calibration_error": round(metrics.calibration_error(truth, pneumonia), 4),
        "indeterminate_share": round(float(between.mean()), 4),
        drift.REFERENCE: drift.shares(pneumonia.tolist()),
        "under_shift": {name: _under_shift(probabilities[row], test, balanced) for row, name in enumerate(SHIFTS)},
    }
    if probabilities.shape[-1] == len(KINDS) and {_BACTERIAL, _VIRAL} <= set(test.labels.tolist()):
        record["bacterial_vs_viral_auroc"] = _between_kinds(probabilities[0], test)
    return dict(msgspec.to_builtins(record))


def _between_kinds(probabilities: Floats, test: Pictures) -> Interval:
    """AUROC of viral against bacterial within the pictures that have pneumonia."""
    ill = test.labels != _NORMAL
    viral = probabilities[ill, _VIRAL] / np.maximum(probabilities[ill, _VIRAL] + probabilities[ill, _BACTERIAL], 1e-300)
    return metrics.interval(metrics.auroc, test.labels[ill] == _VIRAL, viral, test.groups[ill])


def _under_shift(probabilities: Floats, test: Pictures, balanced: OperatingPoint) -> dict[str, float]:
    truth, pneumonia = test.labels != _NORMAL, pneumonia_of(probabilities)
    return {
        "auroc": round(metrics.auroc(truth, pneumonia), 4),
        "sensitivity": round(metrics.sensitivity(truth, pneumonia >= balanced.threshold), 4),
        "specificity": round(metrics.specificity(truth, pneumonia >= balanced.threshold), 4),
    }
