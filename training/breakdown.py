"""Who was called what: confusion, classification report, kinds of pneumonia, indeterminate pictures, mistakes, corruptions."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.manifest import Interval, Manifest, OperatingPoint
from training import metrics
from training.corruptions import Corruption
from training.curves import number
from training.estimates import BOTH, NO_NORMAL, NO_PNEUMONIA, estimate, rates
from training.evaluation import Confusion, CorruptionRow, Estimate, Indeterminate, KindFacts, Mistake, Point, ReportRow
from training.table import Table

NORMAL: Final = "normal"
PNEUMONIA: Final = "pneumonia"
_DECISIONS: Final = ("negative", "indeterminate", "positive")
_FEWEST_OF_A_KIND: Final = "pictures of at least two kinds of pneumonia that the package has are needed"


def operating_point(table: Table, point: OperatingPoint) -> Point:
    """Return a point of the package with what it gave."""
    called = table.probability >= point.threshold
    columns = (table.truth, called, table.groups)
    return Point(
        name=point.name,
        threshold=point.threshold,
        indeterminate_from=point.indeterminate_from,
        indeterminate_to=point.indeterminate_to,
        promised_sensitivity=_promise(point.sensitivity),
        promised_specificity=_promise(point.specificity),
        sensitivity=estimate(metrics.sensitivity, *columns, NO_PNEUMONIA),
        specificity=estimate(metrics.specificity, *columns, NO_NORMAL),
        accuracy=estimate(metrics.accuracy, *columns, BOTH),
        balanced_accuracy=estimate(metrics.balanced_accuracy, *columns, BOTH),
    )


def _promise(rate: Interval | None) -> Estimate:
    """Return what a package says of a point; one that was brought from elsewhere may say nothing."""
    if rate is None:
        return Estimate(value=None, why_not="the package does not say")
    return Estimate(value=rate.value, low=rate.low, high=rate.high)


def confusion(table: Table, point: OperatingPoint, manifest: Manifest) -> Confusion:
    """Count decisions by truth."""
    called, truth = table.probability >= point.threshold, table.truth
    names = {NORMAL: ~truth, PNEUMONIA: truth}
    answers = named(table, point, manifest)
    labels = [label.name for label in manifest.labels]
    told = [label for label in labels if np.any(table.kind == label)]
    return Confusion(
        true_negative=int(np.sum(~truth & ~called)),
        false_positive=int(np.sum(~truth & called)),
        false_negative=int(np.sum(truth & ~called)),
        true_positive=int(np.sum(truth & called)),
        decisions={
            name: {decision: int(np.sum(rows & (table.decision == decision))) for decision in _DECISIONS} for name, rows in names.items()
        },
        kinds={label: {answer: int(np.sum((table.kind == label) & (answers == answer))) for answer in labels} for label in told},
    )


def named(table: Table, point: OperatingPoint, manifest: Manifest) -> npt.NDArray[np.str_]:
    """Return the label that each picture gets: the negative below the threshold, else the most probable of the others."""
    labels = np.array([label.name for label in manifest.labels])
    others = table.labels.copy()
    others[:, manifest.negative_index] = -1.0
    return np.where(table.probability >= point.threshold, labels[others.argmax(axis=1)], manifest.negative)


def report(table: Table, point: OperatingPoint, manifest: Manifest) -> tuple[ReportRow, ...]:
    """Return precision, recall and F1 of normal and pneumonia, and of the kinds over the pictures whose kind is told."""
    called = table.probability >= point.threshold
    rows = [_row(NORMAL, ~table.truth, ~called), _row(PNEUMONIA, table.truth, called)]
    told = table.kind != ""
    answers = named(table, point, manifest)[told]
    kinds = [label.name for label in manifest.labels if label.name != manifest.negative and np.any(table.kind == label.name)]
    return (*rows, *(_row(kind, table.kind[told] == kind, answers == kind) for kind in kinds))


def _row(label: str, truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_]) -> ReportRow:
    precision, recall = metrics.positive_predictive_value(truth, called), metrics.sensitivity(truth, called)
    # F1 has a value wherever the class is there: nothing found is 0, also without a single call.
    both = int(truth.sum()) + int(called.sum())
    f1 = 2.0 * int(np.sum(truth & called)) / both if truth.any() else float("nan")
    return ReportRow(label=label, precision=number(precision), recall=number(recall), f1=number(f1), pictures=int(truth.sum()))


def kinds(table: Table, point: OperatingPoint, manifest: Manifest) -> tuple[KindFacts, ...]:
    """Return what became of each kind of pneumonia that the data set tells."""
    called, answers, facts = table.probability >= point.threshold, named(table, point, manifest), []
    labels = [label.name for label in manifest.labels]
    for kind in sorted(set(table.kind[table.truth]) - {""}):
        rows = table.kind == kind
        everyone, groups = np.ones(int(rows.sum()), dtype=bool), table.groups[rows]
        right = estimate(metrics.sensitivity, everyone, (answers == kind)[rows], groups, NO_PNEUMONIA)
        facts.append(
            KindFacts(
                kind=str(kind),
                pictures=len(everyone),
                sensitivity=estimate(metrics.sensitivity, everyone, called[rows], groups, NO_PNEUMONIA),
                named_right=right if kind in labels else Estimate(value=None, why_not="the package does not tell this kind"),
            )
        )
    return tuple(facts)


def between_kinds(table: Table, first: str, second: str, manifest: Manifest) -> Estimate:
    """Return the AUROC of the second kind against the first, within the pictures of either, by its share of the two probabilities."""
    labels = [label.name for label in manifest.labels]
    if first not in labels or second not in labels:
        return Estimate(value=None, why_not=f"the package does not tell {first} and {second} apart")
    rows = table.truth & np.isin(table.kind, [first, second])
    one, other = (table.labels[rows, labels.index(kind)] for kind in (first, second))
    share = other / np.maximum(one + other, 1e-12)
    return estimate(metrics.auroc, table.kind[rows] == second, share, table.groups[rows], _FEWEST_OF_A_KIND)


def indeterminate(table: Table, point: OperatingPoint) -> Indeterminate:
    """Return the share of indeterminate pictures and the figures of those that are decided."""
    between = table.decision == "indeterminate"
    decided = table.where(~between)
    return Indeterminate(
        pictures=int(between.sum()),
        share=estimate(_mean, table.truth, between, table.groups, BOTH),
        with_pneumonia=int(table.truth[between].sum()),
        decided=rates(decided.truth, decided.probability >= point.threshold, decided.groups),
    )


def mistakes(table: Table, point: OperatingPoint) -> tuple[Mistake, ...]:
    """Return the pictures on the wrong side of the threshold, the surest first."""
    wrong = (table.probability >= point.threshold) != table.truth
    rows = sorted(map(int, np.flatnonzero(wrong)), key=lambda row: -abs(table.probability[row] - point.threshold))
    return tuple(
        Mistake(
            file=table.answered[row].case.shown,
            truth=PNEUMONIA if table.truth[row] else NORMAL,
            kind=table.answered[row].case.kind if table.truth[row] else None,
            probability=float(table.probability[row]),
            decision=str(table.decision[row]),
        )
        for row in rows
    )


def corruptions(table: Table, point: OperatingPoint, selected: Sequence[Corruption]) -> tuple[CorruptionRow, ...]:
    """Return a row for each corruption that the pictures were answered under."""
    if not selected:
        return ()
    probability = np.array([answer.corrupted for answer in table.answered], dtype=np.float64)
    called = probability >= point.threshold
    rows = []
    for column, corruption in enumerate(selected, start=1):
        pair = np.stack([called[:, 0], called[:, column]], axis=1)
        rows.append(
            CorruptionRow(
                name=corruption.name,
                degree=corruption.degree,
                amount=corruption.amount,
                auroc=number(metrics.auroc(table.truth, probability[:, column])),
                sensitivity=number(metrics.sensitivity(table.truth, called[:, column])),
                specificity=number(metrics.specificity(table.truth, called[:, column])),
                balanced_accuracy=number(metrics.balanced_accuracy(table.truth, called[:, column])),
                fall=estimate(_fall, table.truth, pair, table.groups, BOTH),
            )
        )
    return tuple(rows)


def _mean(_truth: npt.NDArray[np.bool_], value: npt.NDArray[Any]) -> float:
    return float(np.mean(value))


def _fall(truth: npt.NDArray[np.bool_], pair: npt.NDArray[Any]) -> float:
    """By how much balanced accuracy falls from the decisions in column 0 to those in column 1."""
    return metrics.balanced_accuracy(truth, pair[:, 0]) - metrics.balanced_accuracy(truth, pair[:, 1])
