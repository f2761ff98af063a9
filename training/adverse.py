"""Whether a model leans on the shortcut: what it does with the pictures whose files look like the other class. Called by `evaluate`.

In the public set sharpness, byte size and framing tell the class; elsewhere they do not. A model that leans on them is at its best where
they agree with the truth, so it is asked where they do not.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.manifest import OperatingPoint
from training import metrics, shortcuts
from training.estimates import BOTH, estimate
from training.records import AgainstShortcut, Estimate
from training.shortcuts import Said
from training.table import Table

SHARE: Final = 3
"""One of so many pictures of each class is adverse."""
FEWEST_PICTURES: Final = 10
"""Adverse ones of each class, below which a sensitivity in steps of a tenth says nothing."""
FEWEST_PATIENTS: Final = 5
"""Adverse ones of each class, below which a bootstrap over patients says nothing."""


def suspect(table: Table) -> Said:
    """Return what the files alone say of each picture: float64 array (N,), probability of pneumonia, or the reason why there is none."""
    columns = shortcuts.features([answer.looks for answer in table.answered])
    return shortcuts.ask(columns, table.truth, table.groups)


def against(table: Table, point: OperatingPoint, said: Said) -> AgainstShortcut:
    """Return the model's figures on the adverse pictures, and how far it follows the files within a class.

    Args:
        table: the answers.
        point: decides.
        said: what the files say of the same pictures.
    """
    if said.probability is None:
        return _nothing(Estimate(value=None, why_not=said.reason), said.reason)
    told = estimate(metrics.auroc, table.truth, said.probability, table.groups, BOTH)
    rows = choose(table.truth, said.probability)
    counts = [(int(np.sum(rows & side)), len(set(table.groups[rows & side].tolist()))) for side in (~table.truth, table.truth)]
    if any(pictures < FEWEST_PICTURES or patients < FEWEST_PATIENTS for pictures, patients in counts):
        received = " and ".join(f"{pictures} of {patients}" for pictures, patients in counts)
        wanted = f"Expected {FEWEST_PICTURES} pictures of {FEWEST_PATIENTS} patients in each class's adverse third"
        return _nothing(told, f"{wanted}. Received: {received}.")
    return _measure(table, point, said.probability, rows, told)


def choose(truth: npt.NDArray[np.bool_], said: metrics.Floats) -> npt.NDArray[np.bool_]:
    """Return the adverse pictures: the third of each class of which the files say the other class most.

    Whoever ties with the first that is not chosen is not chosen either, so that neither the order of the files nor chance decides.

    Args:
        truth: bool array (N,), pneumonia.
        said: float64 array (N,), what the files say: probability of pneumonia.

    Returns:
        bool array (N,).
    """
    chosen = np.zeros(len(truth), dtype=np.bool_)
    for side, misled in ((~truth, said), (truth, -said)):
        count = int(side.sum()) // SHARE
        if count:
            chosen |= side & (misled > np.sort(misled[side])[-count - 1])
    return chosen


def _measure(table: Table, point: OperatingPoint, said: metrics.Floats, rows: npt.NDArray[np.bool_], told: Estimate) -> AgainstShortcut:
    called = table.probability >= point.threshold
    truth, groups, decisions = table.truth[rows], table.groups[rows], called[rows]
    return AgainstShortcut(
        shortcut_auroc=told,
        pictures=len(truth),
        normal=int(np.sum(~truth)),
        pneumonia=int(np.sum(truth)),
        patients=len(set(groups.tolist())),
        adverse_shortcut_auroc=estimate(metrics.auroc, truth, said[rows], groups, BOTH),
        auroc=estimate(metrics.auroc, truth, table.probability[rows], groups, BOTH),
        sensitivity=estimate(metrics.sensitivity, truth, decisions, groups, BOTH),
        specificity=estimate(metrics.specificity, truth, decisions, groups, BOTH),
        balanced_accuracy=estimate(metrics.balanced_accuracy, truth, decisions, groups, BOTH),
        fall=estimate(_fall, table.truth, np.stack([called, rows], axis=1), table.groups, BOTH),
        correlation_normal=_correlation(table, said, ~table.truth),
        correlation_pneumonia=_correlation(table, said, table.truth),
    )


def _correlation(table: Table, said: metrics.Floats, side: npt.NDArray[np.bool_]) -> Estimate:
    """Ranks of log-odds are ranks of probabilities, so the answered probability will do."""
    pair = np.stack([table.probability[side], said[side]], axis=1)
    return estimate(metrics.rank_correlation, table.truth[side], pair, table.groups[side], "every picture gets the same probability")


def _fall(truth: metrics.Truth, pair: npt.NDArray[Any]) -> float:
    """By how much balanced accuracy of the decisions in column 0 falls from all pictures to those in column 1."""
    called, adverse = pair[:, 0], pair[:, 1]
    return metrics.balanced_accuracy(truth, called) - metrics.balanced_accuracy(truth[adverse], called[adverse])


def _nothing(told: Estimate, why_not: str) -> AgainstShortcut:
    none = Estimate(value=None, why_not=why_not)
    return AgainstShortcut(
        shortcut_auroc=told,
        pictures=0,
        normal=0,
        pneumonia=0,
        patients=0,
        adverse_shortcut_auroc=none,
        auroc=none,
        sensitivity=none,
        specificity=none,
        balanced_accuracy=none,
        fall=none,
        correlation_normal=none,
        correlation_pneumonia=none,
    )
