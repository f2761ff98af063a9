"""The first records of an evaluation: the base of all, a figure with its interval, and what a model does where the files mislead.

`training.evaluation` holds the rest, and the whole report.
"""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records."""


class Estimate(Record, frozen=True, kw_only=True):
    """A measured figure with its 95 % interval (bootstrap over patients), or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    why_not: str | None = None


class AgainstShortcut(Record, frozen=True, kw_only=True):
    """What becomes of the model where the files point the other way.

    The shortcut is what a logistic regression makes of the files' looks (`training.looks`) about patients that it did not learn from. The
    adverse pictures are the third of each class that looks most like the other one by it. A figure of the shortcut itself bears its name;
    the others are the model's, at the operating point.
    """

    shortcut_auroc: Estimate
    """Of the shortcut on all pictures: how far the files give the class away."""
    pictures: int
    """The adverse ones; zero where there are too few to choose from. So are the next three."""
    normal: int
    pneumonia: int
    patients: int
    adverse_shortcut_auroc: Estimate
    """Of the shortcut on the adverse pictures: far lower, by their choice."""
    auroc: Estimate
    sensitivity: Estimate
    specificity: Estimate
    balanced_accuracy: Estimate
    fall: Estimate
    """Of balanced accuracy, from all pictures to the adverse ones."""
    correlation_normal: Estimate
    """Spearman's, between the model's log-odds and the shortcut, within one class: there the shortcut says nothing of the lungs."""
    correlation_pneumonia: Estimate


class GuardRow(Record, frozen=True, kw_only=True):
    """What the guard says of one kind of pictures; `reasons` counts its codes. A package without a guard leaves all unchecked."""

    kind: str
    pictures: int
    accepted: int
    warned: int
    refused: int
    unchecked: int
    reasons: dict[str, int]

    @property
    def accepted_share(self) -> float:
        """The share that it accepts."""
        return self.accepted / self.pictures if self.pictures else 0.0
