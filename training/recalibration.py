"""Predictions to a temperature, operating points and what they are worth. Called by `pneumonia calibrate` and `pneumonia package`.

What is chosen is measured on other patients than it was chosen on: each fold is decided by the temperature and thresholds that all the
other folds would have chosen, and the figures are those of all folds together.
"""

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core import drift
from core.manifest import Interval, Manifest, OperatingPoint
from training import errors, metrics
from training.calibrate import (
    BALANCED,
    DRAWS,
    RULE_IN,
    SCREENING,
    Requirements,
    Threshold,
    choose_stable_thresholds,
    fit_temperature_to,
    soften,
)
from training.dataset import BACTERIAL, VIRAL
from training.predictions import ANY_KIND, PLAIN, Predictions

FEWEST_PATIENTS: Final = 10
"""Of each class: fewer cannot place a threshold that leaves out one in a hundred, and even these place it roughly."""
NOT_CALIBRATED: Final = "Not calibrated: probabilities are as the network gives them, and nobody measured what the threshold of 0.5 gives."
"""The limit of a package that nobody has calibrated."""
_FOLDS: Final = 5
_POINTS: Final = (SCREENING, BALANCED, RULE_IN)


class Choice(NamedTuple):
    """What predictions choose; `spread` says where 95 % of the draws put each threshold."""

    temperature: float
    thresholds: tuple[Threshold, ...]
    spread: dict[str, tuple[float, float]]


class Recalibration(NamedTuple):
    """A choice, the operating points with what they gave, and the record `metrics` of the manifest."""

    choice: Choice
    points: tuple[OperatingPoint, ...]
    metrics: dict[str, Any]


def recalibrate(predictions: Predictions, manifest: Manifest, requirements: Requirements, source: str) -> Recalibration:
    """Choose on all folds, measure across folds.

    Args:
        predictions: of pictures that the predicting network had not learned from.
        manifest: of the package; its labels are those of the predictions.
        requirements: what each operating point must keep.
        source: whose predictions these are, for the manifest.

    Raises:
        errors.TooFewPatients: a class has fewer patients than can place a threshold.
    """
    _check(predictions, manifest)
    choice = choose(predictions, manifest, requirements)
    crossed = _cross(_with_folds(predictions), manifest, requirements)
    plain = crossed.rows(PLAIN)
    points = tuple(
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
    record = {
        **_figures(crossed, points, source),
        "thresholds_chosen": _rule(requirements, source),
        "threshold_spread": {name: list(ends) for name, ends in choice.spread.items()},
    }
    return Recalibration(choice, points, msgspec.to_builtins(record))


def applied(result: Recalibration, manifest: Manifest) -> Manifest:
    """Return the manifest with the choice and its figures.

    Of the figures that it had only the proof of parity stays, which is of the network alone; the limit NOT_CALIBRATED goes.
    """
    kept = {name: manifest.metrics[name] for name in ("parity",) if name in manifest.metrics}
    return msgspec.structs.replace(
        manifest,
        temperature=result.choice.temperature,
        operating_points=result.points,
        default_operating_point=BALANCED,
        metrics={**result.metrics, **kept},
        limits=tuple(limit for limit in manifest.limits if limit != NOT_CALIBRATED),
    )


def choose(predictions: Predictions, manifest: Manifest, requirements: Requirements) -> Choice:
    """Return temperature and thresholds from predictions under all their shifts."""
    temperature = fit_temperature_to(predictions.probabilities, _possible(predictions, manifest))
    pneumonia = 1.0 - soften(predictions.probabilities, temperature)[:, manifest.negative_index]
    thresholds, spread = choose_stable_thresholds(pneumonia, _truth(predictions, manifest), predictions.patient, requirements)
    return Choice(temperature, thresholds, spread)


class Crossed(NamedTuple):
    """Each picture under each shift as the other folds' choice decides it.

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

    def rows(self, shift: str) -> "Crossed":
        """Return the rows of one shift."""
        wanted = self.shift == shift
        return Crossed(*(column[wanted] for column in self))


def _cross(predictions: Predictions, manifest: Manifest, requirements: Requirements) -> Crossed:
    probability = np.zeros(len(predictions.file))
    called, between = np.zeros((len(probability), len(_POINTS)), dtype=bool), np.zeros(len(probability), dtype=bool)
    for fold in np.unique(predictions.fold):
        here = predictions.fold == fold
        choice = choose(predictions.where(~here), manifest, requirements)
        mine = 1.0 - soften(predictions.probabilities[here], choice.temperature)[:, manifest.negative_index]
        probability[here] = mine
        called[here] = mine[:, np.newaxis] >= np.array([threshold.value for threshold in choice.thresholds])
        zone = choice.thresholds[_POINTS.index(BALANCED)]
        between[here] = (mine >= zone.zone_from) & (mine < zone.zone_to)
    truth = _truth(predictions, manifest)
    return Crossed(truth, predictions.patient, predictions.shift, predictions.label, probability, called, between, _viral(predictions))


def _figures(crossed: Crossed, points: tuple[OperatingPoint, ...], source: str) -> dict[str, Any]:
    plain, balanced = crossed.rows(PLAIN), points[_POINTS.index(BALANCED)]
    called = plain.called[:, _POINTS.index(BALANCED)]
    record: dict[str, Any] = {
        "measured_on": f"plain pictures of {source}, each fold of patients decided by what the others chose",
        "intervals": f"95 %, bootstrap over patients, {metrics.ROUNDS} draws",
        "pictures": len(plain.truth),
        "patients": len(set(plain.patient)),
        "auroc": metrics.interval(metrics.auroc, plain.truth, plain.probability, plain.patient),
        "auprc": metrics.interval(metrics.auprc, plain.truth, plain.probability, plain.patient),
        "accuracy": metrics.interval(metrics.accuracy, plain.truth, called, plain.patient),
        "sensitivity": balanced.sensitivity,
        "specificity": balanced.specificity,
        drift.REFERENCE: drift.shares(plain.probability.tolist()),
        "calibration_error": round(metrics.calibration_error(plain.truth, plain.probability), 4),
        "indeterminate_share": round(float(plain.between.mean()), 4),
        "under_shift": {str(name): _under(crossed.rows(str(name))) for name in dict.fromkeys(crossed.shift)},
    }
    between_kinds = _between_kinds(plain)
    return record if between_kinds is None else {**record, "bacterial_vs_viral_auroc": between_kinds}


def _between_kinds(plain: Crossed) -> Interval | None:
    rows = np.isin(plain.label, [BACTERIAL, VIRAL]) & np.isfinite(plain.viral)
    viral = plain.label[rows] == VIRAL
    if not viral.any() or viral.all():
        return None
    return metrics.interval(metrics.auroc, viral, plain.viral[rows], plain.patient[rows])


def _under(shifted: Crossed) -> dict[str, float]:
    called = shifted.called[:, _POINTS.index(BALANCED)]
    return {
        "auroc": round(metrics.auroc(shifted.truth, shifted.probability), 4),
        "sensitivity": round(metrics.sensitivity(shifted.truth, called), 4),
        "specificity": round(metrics.specificity(shifted.truth, called), 4),
    }


def _with_folds(predictions: Predictions) -> Predictions:
    """Deal the patients to folds where all predictions come from one network; class by class, so that no fold lacks one."""
    if len(np.unique(predictions.fold)) > 1:
        return predictions
    kinds_of: dict[str, str] = {}
    for patient, label in zip(predictions.patient, predictions.label, strict=True):
        kinds_of.setdefault(str(patient), str(label))
    order = sorted(kinds_of, key=lambda patient: (kinds_of[patient], patient))
    fold_of = {patient: place % _FOLDS for place, patient in enumerate(order)}
    return predictions._replace(fold=np.array([fold_of[str(patient)] for patient in predictions.patient], dtype=np.int64))


def _truth(predictions: Predictions, manifest: Manifest) -> npt.NDArray[np.bool_]:
    return np.asarray(predictions.label != manifest.negative)


def _possible(predictions: Predictions, manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Return the labels that each picture may have: bool array (N, K)."""
    names = np.array(predictions.labels)
    any_kind = (predictions.label == ANY_KIND)[:, np.newaxis] & (names != manifest.negative)
    return np.asarray((predictions.label[:, np.newaxis] == names) | any_kind)


def _viral(predictions: Predictions) -> npt.NDArray[np.float64]:
    if not {BACTERIAL, VIRAL} <= set(predictions.labels):
        return np.full(len(predictions.file), np.nan)
    bacterial, viral = (predictions.probabilities[:, predictions.labels.index(kind)] for kind in (BACTERIAL, VIRAL))
    return np.asarray(viral / np.maximum(bacterial + viral, 1e-300))


def _check(predictions: Predictions, manifest: Manifest) -> None:
    truth = _truth(predictions, manifest)
    counts = {name: len(set(predictions.patient[rows])) for name, rows in (("normal", ~truth), ("pneumonia", truth))}
    few = {name: count for name, count in counts.items() if count < FEWEST_PATIENTS}
    if few:
        said = ", ".join(f"{count} of class {name}" for name, count in few.items())
        raise errors.TooFewPatients(f"Expected at least {FEWEST_PATIENTS} patients of each class to place a threshold. Received: {said}.")


def _rule(requirements: Requirements, source: str) -> str:
    return (
        f"Temperature and thresholds were chosen on {source}, under all simulated shifts: `{BALANCED}` is the highest that keeps "
        f"sensitivity {requirements.balanced_sensitivity}, `{SCREENING}` the highest that keeps {requirements.screening_sensitivity}, "
        f"`{RULE_IN}` the lowest that keeps specificity {requirements.rule_in_specificity}, but not below `{BALANCED}`; each is the median "
        f"over {DRAWS} draws of patients. Sensitivity and specificity were measured across folds: each patient is decided by what the "
        "others chose."
    )
