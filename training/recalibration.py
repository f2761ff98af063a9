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
from training import decided, errors
from training.calibrate import BALANCED, COLDEST, HOTTEST, Requirements
from training.decided import Choice, Decided
from training.predictions import Predictions

_log = logging.getLogger(__name__)

FEWEST_PATIENTS: Final = 10
"""Of each class: fewer cannot place a threshold that leaves out one in a hundred, and even these place it roughly."""
NOT_CALIBRATED: Final = "Not calibrated: probabilities are as the network gives them, and nobody measured what the threshold of 0.5 gives."
"""The limit of a package that nobody has calibrated."""
_FOLDS: Final = 5
_AT_THE_END: Final = {
    HOTTEST: "these probabilities say little of what is true",
    COLDEST: "these probabilities are far more certain than the network is, as where every picture is told apart",
}
_OF_NETWORK: Final = ("correction", "parity", "guard")  # figures that no temperature and no threshold changes
_OF_PARTS: Final = ("train_auroc", "validation_auroc")  # nor, to speak of, these, which stand beside that of the held-out patients


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
    hold_patients(decided.truth(predictions, manifest), predictions.patient)
    if held_out is not None:
        _check_apart(predictions, held_out)
    choice = decided.choose(predictions, manifest, requirements)
    if choice.temperature in _AT_THE_END:
        _log.warning("the temperature ended at %g, the last one that is tried: %s", choice.temperature, _AT_THE_END[choice.temperature])
    if held_out is None:
        pictures = _cross(_with_folds(predictions), manifest, requirements)
        on = f"unchanged pictures: {source}, each fold of patients decided by what the others chose"
        how = "across folds: each patient is decided by what the others chose"
    else:
        pictures = decided.decide(held_out, manifest, choice)
        on = "unchanged pictures of patients whom its training held out"
        how = "on the patients whom training held out"
    points, figures = decided.worth(choice, pictures, on, decided.rule(requirements, source, how))
    return Recalibration(choice, points, figures, held_out is not None)


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


def _cross(predictions: Predictions, manifest: Manifest, requirements: Requirements) -> Decided:
    """Decide each fold by what the others choose."""
    folds = []
    for fold in np.unique(predictions.fold):
        here = predictions.fold == fold
        others = decided.choose(predictions.where(~here), manifest, requirements)
        folds.append(decided.decide(predictions.where(here), manifest, others))
    return Decided(*(np.concatenate(columns) for columns in zip(*folds, strict=True)))


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
