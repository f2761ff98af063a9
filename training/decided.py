"""What decisions on labelled pictures under shift are worth: the figures of a calibrated package. Called by `training.recalibration`."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core import drift
from core.manifest import Interval, OperatingPoint
from training import metrics, names
from training.calibrate import BALANCED
from training.names import BACTERIAL, VIRAL
from training.predictions import PLAIN


class Decided(NamedTuple):
    """Each picture under each shift as a choice decides it in which its patient had no part.

    `called`: bool (N, 3), by screening, balanced and rule_in. `between`: bool (N,). `probability`: float64 (N,), of pneumonia.
    `viral`: float64 (N,), the share of viral within the two kinds, NaN without them.
    """

    truth: npt.NDArray[np.bool_]
    patient: npt.NDArray[np.str_]
    shift: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]
    probability: npt.NDArray[np.float64]
    called: npt.NDArray[np.bool_]
    between: npt.NDArray[np.bool_]
    viral: npt.NDArray[np.float64]

    def rows(self, shift: str) -> "Decided":
        """Return the rows of one shift."""
        wanted = self.shift == shift
        return Decided(*(column[wanted] for column in self))


def figures(decided: Decided, points: tuple[OperatingPoint, ...], measured_on: str) -> dict[str, Any]:
    """Return the figures for the record `metrics` of the manifest.

    Args:
        decided: the pictures.
        points: measured, in the order of `decided.called`.
        measured_on: whose pictures these are, in words.
    """
    place = [point.name for point in points].index(BALANCED)
    plain, balanced = decided.rows(PLAIN), points[place]
    called = plain.called[:, place]
    record: dict[str, Any] = {
        "measured_on": measured_on,
        "intervals": metrics.INTERVALS,
        "pictures": len(plain.truth),
        "patients": len(set(plain.patient)),
        "pictures_without_patient": sum(not names.tells_patient(patient) for patient in plain.patient.tolist()),
        "auroc": metrics.interval(metrics.auroc, plain.truth, plain.probability, plain.patient),
        "auprc": metrics.interval(metrics.auprc, plain.truth, plain.probability, plain.patient),
        "accuracy": metrics.interval(metrics.accuracy, plain.truth, called, plain.patient),
        "sensitivity": balanced.sensitivity,
        "specificity": balanced.specificity,
        drift.REFERENCE: drift.shares(plain.probability.tolist()),
        "calibration_error": round(metrics.calibration_error(plain.truth, plain.probability), 4),
        "indeterminate_share": round(float(plain.between.mean()), 4),
        "under_shift": {str(name): _under(decided.rows(str(name)), place) for name in dict.fromkeys(decided.shift)},
    }
    between_kinds = _between_kinds(plain)
    return record if between_kinds is None else {**record, "bacterial_vs_viral_auroc": between_kinds}


def _between_kinds(plain: Decided) -> Interval | None:
    rows = np.isin(plain.label, [BACTERIAL, VIRAL]) & np.isfinite(plain.viral)
    viral = plain.label[rows] == VIRAL
    if not viral.any() or viral.all():
        return None
    return metrics.interval(metrics.auroc, viral, plain.viral[rows], plain.patient[rows])


def _under(shifted: Decided, place: int) -> dict[str, float]:
    called = shifted.called[:, place]
    return {
        "auroc": round(metrics.auroc(shifted.truth, shifted.probability), 4),
        "sensitivity": round(metrics.sensitivity(shifted.truth, called), 4),
        "specificity": round(metrics.specificity(shifted.truth, called), 4),
    }
