"""A package's own predictions of a data set under every simulated shift: what `calibrate` learns from without a `crossval`."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from core.classifier import Classifier
from core.manifest import Manifest
from training import cases, errors
from training.answers import Unread, at_network_size, for_each
from training.augment import SHIFTS, shift
from training.calibrate import soften
from training.cases import Case, Cases
from training.kept import NOTHING, Kept
from training.predictions import ANY_KIND, Predictions

SEEN: Final = "whether training elsewhere has seen these pictures is not known"


class Shifted(NamedTuple):
    """The predictions, the digest of the pictures, and the files that could not be read."""

    predictions: Predictions
    sha256: str
    unread: list[Unread]


class _Seen(NamedTuple):
    case: Case
    sha256: str
    probabilities: list[list[float]]


def source(folder: Path, manifest: Manifest) -> str:
    """Return what a manifest says of its own network's predictions of a folder, which may have taught a network from elsewhere."""
    said = f'this network\'s predictions of the folder "{folder.resolve().name}"'
    return said if manifest.origin.dataset_sha256 is not None else f"{said} ({SEEN})"


def ask(found: Cases, classifier: Classifier, threads: int, progress: bool = True, kept: Kept = NOTHING) -> Shifted:
    """Answer for every picture under every shift.

    Args:
        found: the pictures.
        classifier: loaded with as many interpreters as threads.
        threads: how many pictures are in work at once.
        progress: show a progress bar on standard error.
        kept: of this package.

    Raises:
        errors.NothingToEvaluate: there is no readable picture.
        errors.SeenInTraining: by its digest this is the data set that the network was trained on.
    """
    under_all = kept.remember("shifts", lambda data: _under_all(data, classifier), list[list[float]])

    def answer(case: Case, data: bytes) -> _Seen:
        return _Seen(case, hashlib.sha256(data).hexdigest(), under_all(data))

    seen, unread = for_each(found.cases, answer, threads, "simulated shifts", progress)
    if not seen:
        raise errors.NothingToEvaluate(
            f"Expected pictures in the class folders of {found.folder}. Received: {len(unread)} unreadable files."
        )
    sha256 = cases.digest([one.case for one in seen], [one.sha256 for one in seen])
    if sha256 == classifier.manifest.origin.dataset_sha256:
        raise errors.SeenInTraining(
            "Expected pictures that the network has not learned from. Received: the data set that it was trained on, which it knows by "
            "heart; give out-of-fold predictions instead."
        )
    return Shifted(_tabulate(seen, [label.name for label in classifier.manifest.labels]), sha256, unread)


def _under_all(data: bytes, classifier: Classifier) -> list[list[float]]:
    """Return the network's own probabilities under each of SHIFTS."""
    manifest = classifier.manifest
    grey, seed = at_network_size(data, manifest.input)
    calibrated = np.stack([classifier.probabilities(shift(grey, name, seed))[0] for name in SHIFTS])
    probabilities: list[list[float]] = soften(calibrated, 1.0 / manifest.temperature).tolist()  # the temperature undone
    return probabilities


def _tabulate(seen: Sequence[_Seen], labels: Sequence[str]) -> Predictions:
    patients = cases.groups([one.case for one in seen], [one.sha256 for one in seen])
    names = [_label(one.case, labels) for one in seen]
    count = len(SHIFTS)
    return Predictions(
        labels=tuple(labels),
        file=np.repeat([one.case.shown for one in seen], count),
        patient=np.repeat(patients, count),
        label=np.repeat(names, count),
        fold=np.zeros(len(seen) * count, dtype=np.int64),
        shift=np.tile(SHIFTS, len(seen)),
        probabilities=np.array([row for one in seen for row in one.probabilities], dtype=np.float64),
    )


def _label(case: Case, labels: Sequence[str]) -> str:
    return case.kind if case.kind in labels and case.kind is not None else ANY_KIND
