"""Predictions of labelled pictures as a table, which choose and measure operating points. `crossval` writes one, `calibrate` reads it.

CSV with the columns file, patient, label, fold, shift and one "probability of <label>" for each label of the network. Probabilities are
those of the network with its correction (`training.foldfiles`), before any temperature. A picture stands there once for each
shift; its patient is in one fold only.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training import errors
from training.augment import SHIFTS
from training.pictures import Pictures

PLAIN: Final = "plain"
ANY_KIND: Final = "pneumonia"
"""The label of a picture with pneumonia whose kind nobody tells."""
_FACTS: Final = ("file", "patient", "label", "fold", "shift")
_PREFIX: Final = "probability of "


class Predictions(NamedTuple):
    """Row i of each column is one picture under one shift; `probabilities` is float64 (N, K), its columns named by `labels`."""

    labels: tuple[str, ...]
    file: npt.NDArray[np.str_]
    patient: npt.NDArray[np.str_]
    label: npt.NDArray[np.str_]
    fold: npt.NDArray[np.int64]
    shift: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float64]

    def where(self, rows: npt.NDArray[np.bool_]) -> "Predictions":
        """Return only these rows: bool array (N,)."""
        return Predictions(
            self.labels, self.file[rows], self.patient[rows], self.label[rows], self.fold[rows], self.shift[rows], self.probabilities[rows]
        )


def of(
    pictures: Pictures, probabilities: npt.NDArray[Any], labels: Sequence[str], fold: npt.NDArray[np.int64] | None = None
) -> Predictions:
    """Return what a network, or one for each fold, says of pictures: all in their order under the first shift, then under the next.

    Args:
        pictures: N of them; their labels are positions in `labels`.
        probabilities: (len(SHIFTS), N, K).
        labels: K names.
        fold: of each picture, int64 array (N,); None where one network answered for all.
    """
    shifts = len(SHIFTS)
    return Predictions(
        labels=tuple(labels),
        file=np.tile(pictures.paths, shifts),
        patient=np.tile(pictures.groups, shifts),
        label=np.tile(np.array(labels)[pictures.labels], shifts),
        fold=np.tile(np.zeros(len(pictures.labels), np.int64) if fold is None else fold, shifts),
        shift=np.repeat(SHIFTS, len(pictures.labels)),
        probabilities=probabilities.reshape(-1, len(labels)).astype(np.float64),
    )


def encode(predictions: Predictions) -> bytes:
    """Return the table as CSV."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*_FACTS, *(f"{_PREFIX}{label}" for label in predictions.labels)])
    for *facts, probabilities in zip(*predictions[1:], strict=True):
        writer.writerow([*facts, *(f"{value:.8g}" for value in probabilities)])
    return stream.getvalue().encode()


def read(path: Path, labels: Sequence[str]) -> Predictions:
    """Read a table.

    Args:
        path: the CSV file.
        labels: of the package, in its order; the columns may have another.

    Raises:
        errors.InvalidPredictions: the file cannot be read, a column is missing or a row is not what it should be; the sentence says which.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns = [f"{_PREFIX}{label}" for label in labels]
            missing = [name for name in (*_FACTS, *columns) if name not in (reader.fieldnames or ())]
            if missing:
                raise errors.InvalidPredictions(
                    f"Expected the columns {', '.join((*_FACTS, *columns))}. Received: {path} without {missing}."
                )
            rows = [_row(number, row, labels, columns) for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise errors.InvalidPredictions(f"Expected a CSV file with predictions. Received: {path} ({error}).") from error
    if not rows:
        raise errors.InvalidPredictions(f"Expected predictions. Received: {path} without a row.")
    facts = list(zip(*(row[0] for row in rows), strict=True))
    file_, patient, label, fold, shift = (np.array(column) for column in facts)
    return _checked(Predictions(tuple(labels), file_, patient, label, fold, shift, np.array([row[1] for row in rows])), path)


def _row(
    number: int, row: dict[str, str], labels: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[str, str, str, int, str], list[float]]:
    try:
        probabilities = [float(row[name]) for name in columns]
        fold = int(row["fold"])
    except (TypeError, ValueError) as error:
        raise errors.InvalidPredictions(f"Expected numbers in `fold` and the probabilities of line {number}. Received: {error}.") from error
    if row["label"] not in (*labels, ANY_KIND):
        raise errors.InvalidPredictions(
            f"Expected a label of {', '.join((*labels, ANY_KIND))}. Received: {row['label']!r} in line {number}."
        )
    if not (all(0.0 <= value <= 1.0 for value in probabilities) and abs(sum(probabilities) - 1.0) < 1e-3):
        raise errors.InvalidPredictions(f"Expected probabilities that sum to 1. Received: {probabilities} in line {number}.")
    return (row["file"], row["patient"], row["label"], fold, row["shift"]), probabilities


def _checked(predictions: Predictions, path: Path) -> Predictions:
    """Refuse what would make out-of-fold figures a lie: a patient in two folds, a picture twice, no plain pictures."""
    fold_of: dict[str, int] = {}
    for patient, fold in zip(predictions.patient, predictions.fold, strict=True):
        if fold_of.setdefault(str(patient), int(fold)) != fold:
            raise errors.InvalidPredictions(f"Expected each patient in one fold. Received: {path} with {patient!r} in several.")
    seen = list(zip(predictions.file, predictions.shift, strict=True))
    if len(set(seen)) != len(seen):
        raise errors.InvalidPredictions(f"Expected each picture once for each shift. Received: {path} with one twice.")
    if PLAIN not in predictions.shift:
        raise errors.InvalidPredictions(
            f"Expected the shift {PLAIN!r} among others. Received: {', '.join(sorted(set(predictions.shift)))}."
        )
    return predictions
