"""A package's own predictions of a data set under every simulated shift: what `calibrate` learns from without a `crossval`."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core import images
from core.classifier import Classifier
from core.errors import PictureError
from training import dataset, errors
from training.answers import in_threads
from training.augment import SHIFTS, shift
from training.calibrate import soften
from training.cases import Case, Cases
from training.pictures import shrink
from training.predictions import ANY_KIND, Predictions


class Shifted(NamedTuple):
    """The predictions, the digest of the pictures, and the files that could not be read: (path, code)."""

    predictions: Predictions
    sha256: str
    unread: tuple[tuple[str, str], ...]


class _Seen(NamedTuple):
    case: Case
    sha256: str
    probabilities: list[list[float]]


def ask(found: Cases, classifier: Classifier, threads: int, progress: bool = True) -> Shifted:
    """Answer for every picture under every shift.

    Args:
        found: the pictures.
        classifier: loaded with as many interpreters as threads.
        threads: how many pictures are in work at once.
        progress: show a progress bar on standard error.

    Raises:
        errors.NothingToEvaluate: there is no readable picture.
        errors.SeenInTraining: by its digest this is the data set that the network was trained on.
    """

    def answer(case: Case) -> _Seen | tuple[str, str]:
        try:
            data = case.file.read_bytes()
            return _Seen(case, hashlib.sha256(data).hexdigest(), _under_all(data, classifier))
        except PictureError as error:
            return case.shown, error.code
        except OSError:
            return case.shown, "unreadable_file"

    results = list(in_threads(answer, found.cases, threads, "simulated shifts", progress))
    seen = [result for result in results if isinstance(result, _Seen)]
    unread = tuple(result for result in results if not isinstance(result, _Seen))
    if not seen:
        raise errors.NothingToEvaluate(
            f"Expected pictures in the class folders of {found.folder}. Received: {len(unread)} unreadable files."
        )
    sha256 = dataset.digest(dataset.Sample(path=one.case.shown, sha256=one.sha256, kind="", patient="", group="") for one in seen)
    if sha256 == classifier.manifest.origin.dataset_sha256:
        raise errors.SeenInTraining(
            "Expected pictures that the network has not learned from. Received: the data set that it was trained on, which it knows by "
            "heart; give out-of-fold predictions instead."
        )
    return Shifted(_tabulate(seen, [label.name for label in classifier.manifest.labels]), sha256, unread)


def _under_all(data: bytes, classifier: Classifier) -> list[list[float]]:
    """Return the network's own probabilities under each of SHIFTS."""
    manifest = classifier.manifest
    grey = shrink(images.decode(data, draft_px=images.draft_px(manifest.input)).grey, manifest.input)
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4])
    calibrated = np.stack([classifier.probabilities(shift(grey, name, seed))[0] for name in SHIFTS])
    probabilities: list[list[float]] = soften(calibrated, 1.0 / manifest.temperature).tolist()  # the temperature undone
    return probabilities


def _tabulate(seen: Sequence[_Seen], labels: Sequence[str]) -> Predictions:
    patients = dataset.group([one.case.patient or f"picture {one.case.shown}" for one in seen], [one.sha256 for one in seen])
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
