"""The dumb-feature baseline: how well the class is told from what no radiologist would look at.

A network finds such shortcuts first, and they do not hold in the next hospital. What a model scores above them is what it may have learned
of lungs; what they score is a warning.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.manifest import Interval
from training import metrics, wording
from training.looks import Looks
from training.survey import Survey

NEGATIVE: Final = "NORMAL"
FEATURES: Final = {
    "bytes": "byte size of the file",
    "jpeg_bytes": "byte size at 224 pixels, stored alike",
    "pixels": "number of pixels",
    "aspect": "width over height",
    "brightness": "brightness",
    "contrast": "contrast",
    "black_share": "share of black",
    "sharpness": "sharpness",
    "edge_density": "edge density",
}
"""Fields of `Looks` with their names for people."""
_LOGARITHM: Final = ("bytes", "jpeg_bytes", "pixels", "aspect", "sharpness")  # they spread over factors, not differences
FOLDS: Final = 5
_SAME: Final = 0.05  # of AUROC between parts


class Shortcut(msgspec.Struct, frozen=True, kw_only=True):
    """One feature alone. `larger_is`: "positive" or "negative", the side of larger values; by that choice AUROC is at least 0.5."""

    feature: str
    auroc: Interval
    larger_is: str
    by_part: dict[str, float]
    """AUROC within each part that has both classes: what holds in train need not hold in test."""


class Shortcuts(msgspec.Struct, frozen=True, kw_only=True):
    """Each feature that varies, the best first; `together` is their logistic regression on patients that it did not learn from.

    `reason` says why something is missing, else it is empty.
    """

    positives: tuple[str, ...]
    alone: tuple[Shortcut, ...] = ()
    together: Interval | None = None
    folds: int = 0
    reason: str = ""


class Said(NamedTuple):
    """What all features together say of each picture: float64 array (N,), probability of the positive class; None with the reason why."""

    probability: metrics.Floats | None
    folds: int = 0
    reason: str = ""


def find(survey: Survey) -> Shortcuts:
    """Return the AUROC of each feature, and of all together, with 95 % CI by bootstrap over patients.

    The positives are all classes but NORMAL.
    """
    labels, groups = survey.labels, survey.groups
    truth = labels != NEGATIVE
    positives = tuple(sorted(set(labels[truth].tolist())))
    if not truth.any() or truth.all():
        present = ", ".join(sorted(set(labels.tolist()))) or "none"
        return Shortcuts(positives=positives, reason=f"Expected {NEGATIVE} and another class. Received: {present}.")
    columns = features(survey.pictures)
    parts = np.asarray([picture.part for picture in survey.pictures], dtype=np.str_)
    alone = sorted((_alone(name, truth, values, groups, parts) for name, values in columns.items()), key=lambda one: -one.auroc.value)
    said = ask(columns, truth, groups)
    together = None if said.probability is None else interval(truth, said.probability, groups)
    return Shortcuts(positives=positives, alone=tuple(alone), together=together, folds=said.folds, reason=said.reason)


def features(looks: Sequence[Looks]) -> dict[str, metrics.Floats]:
    """Return each of FEATURES that varies, as the regression takes it: float64 arrays (N,), by name."""
    columns = {name: np.asarray([getattr(look, name) for look in looks], dtype=np.float64) for name in FEATURES}
    return {name: np.log1p(values) if name in _LOGARITHM else values for name, values in columns.items() if np.ptp(values) > 0.0}


def ask(columns: Mapping[str, metrics.Floats], truth: metrics.Truth, groups: npt.NDArray[np.str_]) -> Said:
    """Ask all features together about patients that they did not learn from, as far as there are enough.

    Args:
        columns: as `features` returns them.
        truth: bool array (N,), N > 0.
        groups: array of str (N,), the patients.
    """
    folds = min(FOLDS, *(len(set(groups[side].tolist())) for side in (truth, ~truth)))
    if columns and folds >= 2:
        return Said(out_of_fold(np.column_stack(list(columns.values())), truth, groups, folds), folds)
    wanted = "at least 2 patients of each class, to learn from one and ask the other" if columns else "features that vary"
    return Said(None, reason=f"Expected {wanted}. Received: {folds if columns else 'none'}.")


class Ranking:
    """One column sorted once, so that each of a thousand draws of patients costs a few sums."""

    def __init__(self, truth: metrics.Truth, value: metrics.Floats) -> None:
        self._order = np.argsort(value, kind="stable")
        self._truth = truth[self._order]
        ordered = value[self._order]
        self._ties = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def area(self, weights: npt.NDArray[np.int64]) -> float:
        """Return the area under the ROC curve (Mann and Whitney), each picture counted as often as its weight; NaN without both classes."""
        ordered = weights[self._order]
        positive = np.add.reduceat(np.where(self._truth, ordered, 0), self._ties)
        negative = np.add.reduceat(np.where(self._truth, 0, ordered), self._ties)
        pairs = float(positive.sum()) * float(negative.sum())
        below = np.cumsum(negative) - negative
        return float((positive * (below + negative / 2.0)).sum() / pairs) if pairs else float("nan")


def interval(truth: metrics.Truth, value: metrics.Floats, groups: npt.NDArray[np.str_], seed: int = 0) -> Interval:
    """Return what `metrics.interval(metrics.auroc, …)` returns, in a hundredth of the time."""
    ranking = Ranking(truth, value)
    names, patient = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = (np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(metrics.ROUNDS))
    draws = (ranking.area(counts[patient]) for counts in drawn)
    measured = ranking.area(np.ones(len(truth), np.int64))
    low, high = metrics.ends(metrics.auroc, measured, draws, truth, value, groups)
    return Interval(value=round(measured, 4), low=round(low, 4), high=round(high, 4))


def interpret(found: Shortcuts) -> list[str]:
    """Say how far the classes can be told apart without looking at a lung."""
    if not found.alone:
        return [f"The baseline cannot be measured. {found.reason}"]
    best = found.alone[0]
    larger = NEGATIVE if best.larger_is == "negative" else " or ".join(found.positives)
    sentences = [
        f"The best single feature is the {FEATURES[best.feature]}: AUROC {wording.interval(best.auroc)}, "
        f"which tells the class {wording.separation(best.auroc.value)}; {larger} has the larger values."
    ]
    if found.together is None:
        sentences.append(f"All features together cannot be measured. {found.reason}")
    else:
        sentences.append(
            f"All features together, by logistic regression asked about patients that it did not learn from, reach AUROC "
            f"{wording.interval(found.together)}: {_verdict(found.together)}"
        )
    return sentences + _drift(found)


def _verdict(together: Interval) -> str:
    if together.low <= 0.5:
        return "no more than chance. The files themselves do not give the class away."
    if together.value < 0.7:
        return "little. A model must do better by far to have learned anything of lungs."
    return (
        "a shortcut that a network will find. A model that scores no more has learned nothing of lungs, and one that scores more may still "
        "lean on it: vary resolution, sharpness and compression while training, and test under their shift."
    )


def _drift(found: Shortcuts) -> list[str]:
    """Name the feature whose worth differs most between parts."""
    spans = [(max(one.by_part.values()) - min(one.by_part.values()), one) for one in found.alone if len(one.by_part) > 1]
    if not spans:
        return []
    span, widest = max(spans, key=lambda pair: pair[0])
    values = wording.listing([f"{value:.2f} in {part}" for part, value in widest.by_part.items()])
    kept = "holds in every part" if span < _SAME else "does not hold everywhere"
    return [f"What a feature is worth {kept}: the {FEATURES[widest.feature]} differs most, with AUROC {values}."]


def out_of_fold(features: metrics.Floats, truth: metrics.Truth, groups: npt.NDArray[np.str_], folds: int) -> metrics.Floats:
    """Return what a logistic regression says of patients that it did not learn from: float64 array (N,), probabilities.

    Args:
        features: float64 array (N, K).
        truth: bool array (N,).
        groups: array of str (N,), the patients.
        folds: 2 to the number of patients of the rarer class.
    """
    said = np.full(len(truth), 0.5)
    for learn, ask in StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(features, truth, groups):
        if truth[learn].all() or not truth[learn].any():
            continue  # one patient holds all of a class's pictures that are left: this fold stays undecided
        regression = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        said[ask] = regression.fit(features[learn], truth[learn]).predict_proba(features[ask])[:, 1]
    return said


def _alone(name: str, truth: metrics.Truth, values: metrics.Floats, groups: npt.NDArray[np.str_], parts: npt.NDArray[np.str_]) -> Shortcut:
    whole = Ranking(truth, values).area(np.ones(len(truth), np.int64))
    turned = values if whole >= 0.5 else -values
    by_part = {
        part: round(Ranking(truth[rows], turned[rows]).area(np.ones(int(rows.sum()), np.int64)), 4)
        for part in dict.fromkeys(parts.tolist())
        for rows in [parts == part]
        if truth[rows].any() and not truth[rows].all()
    }
    larger_is = "positive" if whole >= 0.5 else "negative"
    return Shortcut(feature=name, auroc=interval(truth, turned, groups), larger_is=larger_is, by_part=by_part)
