"""What predictions choose, what a choice decides of other pictures, and what that is worth: the figures of a calibrated package.

Called by `training.choices`, where a training has patients who choose and others who report, and by `training.recalibration`.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core import drift
from core.manifest import Interval, Manifest, OperatingPoint
from training import metrics, names
from training.calibrate import (
    BALANCED,
    DRAWS,
    POINTS,
    RULE_IN,
    SCREENING,
    Requirements,
    Threshold,
    choose_stable_thresholds,
    fit_temperature_to,
    soften,
)
from training.names import BACTERIAL, VIRAL
from training.predictions import ANY_KIND, PLAIN, Predictions

_BALANCED: Final = POINTS.index(BALANCED)


class Choice(NamedTuple):
    """What predictions choose; `spread` says where 95 % of the draws put each threshold."""

    temperature: float
    thresholds: tuple[Threshold, ...]
    spread: dict[str, tuple[float, float]]


class Decided(NamedTuple):
    """Each picture under each shift as a choice decides it; what is reported is of patients who had no part in the choice.

    `called`: bool (N, 3), by each of POINTS. `between`: bool (N,). `probability`: float64 (N,), of pneumonia.
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


def choose(predictions: Predictions, manifest: Manifest, requirements: Requirements) -> Choice:
    """Return temperature and thresholds from predictions under all their shifts.

    Args:
        predictions: of the network without a temperature.
        manifest: of the package; its labels are those of the predictions.
        requirements: what each operating point must keep.
    """
    temperature = fit_temperature_to(predictions.probabilities, _possible(predictions, manifest))
    pneumonia = 1.0 - soften(predictions.probabilities, temperature)[:, manifest.negative_index]
    thresholds, spread = choose_stable_thresholds(pneumonia, truth(predictions, manifest), predictions.patient, requirements)
    return Choice(temperature, thresholds, spread)


def decide(predictions: Predictions, manifest: Manifest, choice: Choice) -> Decided:
    """Return what a choice says of predictions."""
    probability = 1.0 - soften(predictions.probabilities, choice.temperature)[:, manifest.negative_index]
    zone = choice.thresholds[_BALANCED]
    return Decided(
        truth=truth(predictions, manifest),
        patient=predictions.patient,
        shift=predictions.shift,
        label=predictions.label,
        probability=probability,
        called=probability[:, np.newaxis] >= np.array([threshold.value for threshold in choice.thresholds]),
        between=(probability >= zone.zone_from) & (probability < zone.zone_to),
        viral=viral_share(predictions.probabilities, predictions.labels),
    )


def worth(choice: Choice, decided: Decided, on: str, chosen: str) -> tuple[tuple[OperatingPoint, ...], dict[str, Any]]:
    """Return the operating points with what they gave, and the figures for the record `metrics` of the manifest.

    Args:
        choice: of the package.
        decided: the pictures.
        on: whose pictures these are, in words.
        chosen: what `rule` says of the choice.
    """
    plain = decided.rows(PLAIN)
    points = _points(choice, plain)
    called = plain.called[:, _BALANCED]
    record: dict[str, Any] = {
        "measured_on": on,
        "intervals": metrics.INTERVALS,
        "pictures": len(plain.truth),
        "patients": len(set(plain.patient)),
        "pictures_without_patient": sum(not names.tells_patient(patient) for patient in plain.patient.tolist()),
        "auroc": metrics.interval(metrics.auroc, plain.truth, plain.probability, plain.patient),
        "auprc": metrics.interval(metrics.auprc, plain.truth, plain.probability, plain.patient),
        "accuracy": metrics.interval(metrics.accuracy, plain.truth, called, plain.patient),
        "sensitivity": points[_BALANCED].sensitivity,
        "specificity": points[_BALANCED].specificity,
        "calibration_error": round(metrics.calibration_error(plain.truth, plain.probability), 4),
        "indeterminate_share": round(float(plain.between.mean()), 4),
        drift.REFERENCE: drift.shares(plain.probability.tolist()),
        "under_shift": {str(name): _under(decided.rows(str(name))) for name in dict.fromkeys(decided.shift)},
        "thresholds_chosen": chosen,
        "threshold_spread": {name: list(ends) for name, ends in choice.spread.items()},
    }
    between_kinds = _between_kinds(plain)
    if between_kinds is not None:
        record["bacterial_vs_viral_auroc"] = between_kinds
    return points, dict(msgspec.to_builtins(record))


def rule(requirements: Requirements, source: str, measured: str) -> str:
    """Return how temperature and thresholds were chosen, and what measured them, as a manifest says it.

    Args:
        requirements: what each operating point had to keep.
        source: whose predictions chose.
        measured: the end of "Sensitivity and specificity were measured …".
    """
    return (
        f"Temperature and thresholds were chosen on {source}, under all simulated shifts: `{BALANCED}` is the highest that keeps "
        f"sensitivity {requirements.balanced_sensitivity}, `{SCREENING}` the highest that keeps {requirements.screening_sensitivity}, "
        f"`{RULE_IN}` the lowest that keeps specificity {requirements.rule_in_specificity}, but not below `{BALANCED}`; each is the median "
        f"over {DRAWS} draws of patients. Sensitivity and specificity were measured {measured}."
    )


def truth(predictions: Predictions, manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Return which pictures show pneumonia: bool array (N,)."""
    return np.asarray(predictions.label != manifest.negative)


def _points(choice: Choice, plain: Decided) -> tuple[OperatingPoint, ...]:
    """Return the operating points with what they gave; an indeterminate picture counts by its side of the threshold."""
    return tuple(
        OperatingPoint(
            name=threshold.name,
            threshold=threshold.value,
            indeterminate_from=threshold.zone_from,
            indeterminate_to=threshold.zone_to,
            sensitivity=metrics.interval(metrics.sensitivity, plain.truth, plain.called[:, place], plain.patient),
            specificity=metrics.interval(metrics.specificity, plain.truth, plain.called[:, place], plain.patient),
        )
        for place, threshold in enumerate(choice.thresholds)
    )


def _possible(predictions: Predictions, manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Return the labels that each picture may have, any kind where its own is no label of the network: bool array (N, K)."""
    labels = np.array(predictions.labels)
    any_kind = ((predictions.label == ANY_KIND) & (ANY_KIND not in predictions.labels))[:, np.newaxis] & (labels != manifest.negative)
    return np.asarray((predictions.label[:, np.newaxis] == labels) | any_kind)


def viral_share(probabilities: npt.NDArray[Any], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return viral / (bacterial + viral) of probabilities (N, K): float64 array (N,) in [0, 1], NaN where a label is missing."""
    if not {BACTERIAL, VIRAL} <= set(labels):
        return np.full(len(probabilities), np.nan)
    bacterial, viral = (probabilities[:, labels.index(kind)].astype(np.float64) for kind in (BACTERIAL, VIRAL))
    return np.asarray(viral / np.maximum(bacterial + viral, np.finfo(np.float64).tiny))


def _between_kinds(plain: Decided) -> Interval | None:
    """AUROC of viral against bacterial within the pictures that have pneumonia of a known kind; None without both."""
    rows = np.isin(plain.label, [BACTERIAL, VIRAL]) & np.isfinite(plain.viral)
    viral = plain.label[rows] == VIRAL
    if not viral.any() or viral.all():
        return None
    return metrics.interval(metrics.auroc, viral, plain.viral[rows], plain.patient[rows])


def _under(shifted: Decided) -> dict[str, float]:
    called = shifted.called[:, _BALANCED]
    return {
        "auroc": round(metrics.auroc(shifted.truth, shifted.probability), 4),
        "sensitivity": round(metrics.sensitivity(shifted.truth, called), 4),
        "specificity": round(metrics.specificity(shifted.truth, called), 4),
    }
