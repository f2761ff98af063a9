"""Predictions to a temperature, operating points and what they are worth. Called by `pneumonia calibrate` and `pneumonia package`.

What is chosen is measured on other patients than it was chosen on. Where the training of the package held out some, they report. Else each
fold is decided by the temperature and thresholds that all the other folds would have chosen, and the figures are those of all together.
"""

import logging
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.manifest import Manifest, OperatingPoint
from training import errors, metrics
from training.calibrate import (
    BALANCED,
    COLDEST,
    DRAWS,
    HOTTEST,
    RULE_IN,
    SCREENING,
    Requirements,
    Threshold,
    choose_stable_thresholds,
    fit_temperature_to,
    soften,
)
from training.decided import Decided, figures
from training.names import BACTERIAL, VIRAL
from training.predictions import ANY_KIND, PLAIN, Predictions

_log = logging.getLogger(__name__)

FEWEST_PATIENTS: Final = 10
"""Of each class: fewer cannot place a threshold that leaves out one in a hundred, and even these place it roughly."""
NOT_CALIBRATED: Final = "Not calibrated: probabilities are as the network gives them, and nobody measured what the threshold of 0.5 gives."
"""The limit of a package that nobody has calibrated."""
_FOLDS: Final = 5
_POINTS: Final = (SCREENING, BALANCED, RULE_IN)
_AT_THE_END: Final = {
    HOTTEST: "these probabilities say little of what is true",
    COLDEST: "these probabilities are far more certain than the network is, as where every picture is told apart",
}
_OF_NETWORK: Final = ("correction", "parity", "guard")  # figures that no temperature and no threshold changes
_OF_PARTS: Final = ("train_auroc", "validation_auroc")  # nor, to speak of, these, which stand beside that of the held-out patients


class Choice(NamedTuple):
    """What predictions choose; `spread` says where 95 % of the draws put each threshold."""

    temperature: float
    thresholds: tuple[Threshold, ...]
    spread: dict[str, tuple[float, float]]


class Recalibration(NamedTuple):
    """A choice, the operating points with what they gave, and the record `metrics` of the manifest.

    `of_held_out`: whether these figures are of the patients whom training held out.
    """

    choice: Choice
    points: tuple[OperatingPoint, ...]
    metrics: dict[str, Any]
    of_held_out: bool


def recalibrate(
    predictions: Predictions, manifest: Manifest, requirements: Requirements, source: str, held_out: Predictions | None = None
) -> Recalibration:
    """Choose on all folds; measure on those who are held out, or across folds.

    Args:
        predictions: of pictures that the predicting network had not learned from.
        manifest: of the package; its labels are those of the predictions.
        requirements: what each operating point must keep.
        source: whose predictions these are, for the manifest.
        held_out: of the package's network, on those who report; None where there is nobody.

    Raises:
        errors.TooFewPatients: a class has fewer patients than can place a threshold.
        errors.InvalidPredictions: of those who are held out some choose.
    """
    hold_patients(_truth(predictions, manifest), predictions.patient)
    if held_out is not None:
        _check_apart(predictions, held_out)
    choice = choose(predictions, manifest, requirements)
    if choice.temperature in _AT_THE_END:
        _log.warning("the temperature ended at %g, the last one that is tried: %s", choice.temperature, _AT_THE_END[choice.temperature])
    if held_out is None:
        decided = _cross(_with_folds(predictions), manifest, requirements)
        on = f"unchanged pictures: {source}, each fold of patients decided by what the others chose"
        how = "across folds: each patient is decided by what the others chose"
    else:
        decided = _decided(held_out, manifest, choice)
        on = "unchanged pictures of patients whom its training held out"
        how = "on the patients whom training held out"
    plain = decided.rows(PLAIN)
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
        **figures(decided, points, on),
        "thresholds_chosen": _rule(requirements, source, how),
        "threshold_spread": {name: list(ends) for name, ends in choice.spread.items()},
    }
    return Recalibration(choice, points, msgspec.to_builtins(record), held_out is not None)


def applied(result: Recalibration, manifest: Manifest) -> Manifest:
    """Return the manifest with the choice and its figures.

    Of the figures that it had those of the network alone stay; the limit NOT_CALIBRATED goes.
    """
    names = _OF_NETWORK + (_OF_PARTS if result.of_held_out else ())
    kept = {name: manifest.metrics[name] for name in names if name in manifest.metrics}
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


def _cross(predictions: Predictions, manifest: Manifest, requirements: Requirements) -> Decided:
    """Decide each fold by what the others choose."""
    folds = []
    for fold in np.unique(predictions.fold):
        here = predictions.fold == fold
        folds.append(_decided(predictions.where(here), manifest, choose(predictions.where(~here), manifest, requirements)))
    return Decided(*(np.concatenate(columns) for columns in zip(*folds, strict=True)))


def _decided(predictions: Predictions, manifest: Manifest, choice: Choice) -> Decided:
    probability = 1.0 - soften(predictions.probabilities, choice.temperature)[:, manifest.negative_index]
    called = probability[:, np.newaxis] >= np.array([threshold.value for threshold in choice.thresholds])
    zone = choice.thresholds[_POINTS.index(BALANCED)]
    between = (probability >= zone.zone_from) & (probability < zone.zone_to)
    truth = _truth(predictions, manifest)
    return Decided(truth, predictions.patient, predictions.shift, predictions.label, probability, called, between, _viral(predictions))


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


def hold_patients(truth: npt.NDArray[np.bool_], patients: npt.NDArray[np.str_]) -> None:
    """Refuse too few patients to place a threshold.

    Args:
        truth: bool array (N,), which pictures show pneumonia.
        patients: array of str (N,), whose each is.

    Raises:
        errors.TooFewPatients: of a class there are fewer than FEWEST_PATIENTS.
    """
    counts = {name: len(set(patients[rows])) for name, rows in (("normal", ~truth), ("pneumonia", truth))}
    few = {name: count for name, count in counts.items() if count < FEWEST_PATIENTS}
    if few:
        said = ", ".join(f"{count} of class {name}" for name, count in few.items())
        raise errors.TooFewPatients(f"Expected at least {FEWEST_PATIENTS} patients of each class to place a threshold. Received: {said}.")


def _check_apart(chooses: Predictions, reports: Predictions) -> None:
    shared = set(chooses.file) & set(reports.file), set(chooses.patient) & set(reports.patient)
    if any(shared):
        raise errors.InvalidPredictions(
            f"Expected predictions of other patients than training held out, who report (`crossval --teaching` leaves them out). Received: "
            f"{len(shared[0])} of their pictures, and {len(shared[1])} of these patients."
        )


def _rule(requirements: Requirements, source: str, measured: str) -> str:
    return (
        f"Temperature and thresholds were chosen on {source}, under all simulated shifts: `{BALANCED}` is the highest that keeps "
        f"sensitivity {requirements.balanced_sensitivity}, `{SCREENING}` the highest that keeps {requirements.screening_sensitivity}, "
        f"`{RULE_IN}` the lowest that keeps specificity {requirements.rule_in_specificity}, but not below `{BALANCED}`; each is the median "
        f"over {DRAWS} draws of patients. Sensitivity and specificity were measured {measured}."
    )
