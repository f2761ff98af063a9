"""The answers of an evaluation as columns: truth, probability, kind and patient of each picture."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.manifest import Manifest
from training import cases
from training.answers import Answered


class Table(NamedTuple):
    """Row i of each column is `answered[i]`.

    `truth`: bool (N,), pneumonia. `probability`: float64 (N,), of pneumonia, as answered. `labels`: float64 (N, K), of each label in the
    manifest's order. `kind`: str (N,), "" where nothing tells it. `groups`: str (N,), the patients. `decision`: str (N,).
    """

    answered: Sequence[Answered]
    truth: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.float64]
    labels: npt.NDArray[np.float64]
    kind: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    decision: npt.NDArray[np.str_]

    def where(self, rows: npt.NDArray[Any]) -> "Table":
        """Return only these rows: bool array (N,)."""
        kept = [answer for answer, keep in zip(self.answered, rows, strict=True) if keep]
        columns = (self.truth, self.probability, self.labels, self.kind, self.groups, self.decision)
        return Table(kept, *(column[rows] for column in columns))


def tabulate(answered: Sequence[Answered], manifest: Manifest) -> Table:
    """Return the columns of at least one answer."""
    names = [label.name for label in manifest.labels]
    labels = np.zeros((len(answered), len(names)))
    for row, answer in enumerate(answered):
        for finding in answer.prediction.findings:
            labels[row, names.index(finding.label)] = finding.probability
    return Table(
        answered=answered,
        truth=np.array([answer.case.pneumonia for answer in answered], dtype=np.bool_),
        probability=np.array([answer.prediction.pneumonia.probability for answer in answered], dtype=np.float64),
        labels=labels,
        kind=np.array([answer.case.kind or "" for answer in answered], dtype=np.str_),
        groups=np.array(cases.groups([answer.case for answer in answered], [answer.sha256 for answer in answered]), dtype=np.str_),
        decision=np.array([answer.prediction.pneumonia.decision for answer in answered], dtype=np.str_),
    )
