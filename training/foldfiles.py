"""What a cross-validation keeps of its folds, and the tables that come of all of them together. Called by `training.crossval`.

The tables say what the network of a package would: with the correction that `train` puts into the network (`correction.fit_correction`).
"""

import hashlib
import io
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training import predictions, runstate
from training.augment import SHIFTS
from training.correction import fit_correction
from training.names import KINDS
from training.pictures import Pictures
from training.splits import Split

PREDICTIONS_FILE: Final = "out_of_fold.npz"
TABLE_FILE: Final = "out_of_fold.csv"

_ANSWERS: Final = "probabilities"


class Gathered(NamedTuple):
    """All folds together, row i that of picture i of the data set.

    `probabilities`: float32 array (len(SHIFTS), N, len(KINDS)). `fold`: int64 array (N,), from 1. `figures`: by name, one value a fold.
    """

    probabilities: npt.NDArray[np.float32]
    fold: npt.NDArray[np.int64]
    figures: dict[str, list[float]]


def of(work: Path, number: int) -> Path:
    """Return the file of a fold; it is there once the fold is done."""
    return work / f"fold-{number}.npz"


def keep(work: Path, number: int, probabilities: npt.NDArray[np.float64], scores: dict[str, float]) -> None:
    """Write down what a fold's network says of those held out from it, array (len(SHIFTS), n, len(KINDS)) in [0, 1], and its scores."""
    arrays = {_ANSWERS: probabilities.astype(np.float32), **{name: np.float64(value) for name, value in scores.items()}}
    runstate.replace(of(work, number), _npz(arrays))


def gather(work: Path, dealt: Split) -> Gathered:
    """Return what all folds kept, as the networks gave it.

    Raises:
        OSError: a fold is not done.
    """
    size = sum(len(rows) for rows in dealt.values())
    gathered = Gathered(np.zeros((len(SHIFTS), size, len(KINDS)), np.float32), np.zeros(size, np.int64), {})
    for name, rows in dealt.items():
        with np.load(of(work, int(name)), allow_pickle=False) as kept:
            gathered.probabilities[:, list(rows)], gathered.fold[list(rows)] = kept[_ANSWERS], int(name)
            for figure in kept.files:
                if figure != _ANSWERS:
                    gathered.figures.setdefault(figure, []).append(float(kept[figure]))
    return gathered


def corrected(gathered: Gathered, labels: npt.NDArray[np.int64]) -> Gathered:
    """Give each fold the correction that the others ask for, plain and under all shifts, as the network of a package has one.

    Args:
        gathered: of N pictures; more than one fold.
        labels: int64 array (N,), positions in KINDS.
    """
    probabilities = gathered.probabilities.copy()
    for number in np.unique(gathered.fold):
        here = gathered.fold == number
        others = gathered.probabilities[:, ~here].reshape(-1, len(KINDS))
        found = fit_correction(others, np.tile(labels[~here], len(SHIFTS)), views=len(SHIFTS))
        probabilities[:, here] = found.apply(gathered.probabilities[:, here])
    return gathered._replace(probabilities=probabilities)


def write(folder: Path, pictures: Pictures, gathered: Gathered) -> dict[str, str]:
    """Write the predictions, for NumPy and as the table that `calibrate` reads, and return the sha256 of each file by its name."""
    facts = {
        "paths": pictures.paths,
        "labels": pictures.labels,
        "groups": pictures.groups,
        "fold": gathered.fold,
        "shifts": np.array(SHIFTS),
    }
    table = predictions.of(pictures, gathered.probabilities, KINDS, gathered.fold)
    files = {PREDICTIONS_FILE: _npz({_ANSWERS: gathered.probabilities, **facts}), TABLE_FILE: predictions.encode(table)}
    for name, data in files.items():
        runstate.replace(folder / name, data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _npz(arrays: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
