"""A package and a data set to an `Evaluation`: find the pictures, ask the serving path, work out the figures. Called by the terminal."""

import platform
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import msgspec
import numpy as np

from core.classifier import Classifier
from core.manifest import NETWORK_FILE, OperatingPoint
from training import adverse, answers, breakdown, cases, corruptions, curves, errors, interpretation, libraries, metrics, watch
from training.answers import Unread
from training.cases import Cases
from training.estimates import BOTH, NO_PNEUMONIA, estimate, rates
from training.evaluation import DatasetFacts, Estimate, Evaluation, Metrics, ModelFacts, Speed, UnreadableFile
from training.kept import NOTHING, Kept
from training.names import BACTERIAL, VIRAL
from training.shortcuts import Said
from training.table import Table, tabulate

_LIBRARIES: Final = ("ai-edge-litert", "numpy", "pillow")


class Examined(NamedTuple):
    """An evaluation with what its page and its table of pictures are made of."""

    evaluation: Evaluation
    table: Table
    unread: list[Unread]
    classifier: Classifier
    point: OperatingPoint
    said: Said
    """What the files alone say of the table's pictures."""


def evaluate(
    classifier: Classifier,
    folder: Path,
    point_name: str | None = None,
    selection: corruptions.Selection = "none",
    threads: int = 1,
    held_out: bool = False,
    progress: bool = True,
    outliers: Path | None = None,
    kept: Kept = NOTHING,
) -> Examined:
    """Evaluate a package on a data set.

    Args:
        classifier: the package, loaded with an interpreter for each thread.
        folder: holds a folder per class.
        point_name: the operating point that decides; None is the package's default.
        selection: which corruptions to try as well.
        threads: how many pictures are in work at once.
        held_out: only the patients that the package's training held out; the folder is what it was trained on.
        progress: show a progress bar on standard error.
        outliers: holds pictures that are no chest X-rays, or a folder for each kind of them.
        kept: of this package, point and corruptions.

    Raises:
        core.errors.InvalidParameter: the package has no such point.
        errors.TrainingError: one of its leaves: there is no picture to evaluate on, or nothing to hold out.
    """
    start = perf_counter()
    point = classifier.operating_point(point_name)
    found = cases.find(folder, classifier.manifest)
    if held_out:
        found = cases.held_out(found, classifier.manifest, progress)
    others = watch.kinds(outliers) if outliers else ()
    selected = corruptions.selected(selection)
    answered, unread = answers.ask(found.cases, classifier, point, selected, threads, progress, kept)
    if not answered:
        why = f"{len(unread)} files, none of them readable ({unread[0].code})" if unread else "no file"
        raise errors.NothingToEvaluate(f"Expected pictures in the class folders of {folder}. Received: {why}.")
    table = tabulate(answered, classifier.manifest)
    seconds = kept.seconds + perf_counter() - start
    said = adverse.suspect(table)
    evaluation = _assemble(classifier, point, table, found, unread, selected, said, _speed(table, threads, seconds), held_out)
    watched = msgspec.structs.replace(
        evaluation,
        guard=watch.row(evaluation.dataset.name, [answer.prediction.guard for answer in answered]),
        outliers=watch.outliers(others, classifier, threads, progress, kept) if others else (),
    )
    return Examined(interpretation.interpret(watched), table, unread, classifier, point, said)


def _assemble(
    classifier: Classifier,
    point: OperatingPoint,
    table: Table,
    found: Cases,
    unread: list[Unread],
    selected: tuple[corruptions.Corruption, ...],
    said: Said,
    speed: Speed,
    held_out: bool,
) -> Evaluation:
    manifest = classifier.manifest
    return Evaluation(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        model=_model(classifier),
        dataset=_dataset(table, found, unread, manifest.origin.dataset_sha256, held_out),
        operating_point=point.name,
        metrics=_metrics(table, point, breakdown.between_kinds(table, BACTERIAL, VIRAL, manifest)),
        confusion=breakdown.confusion(table, point, manifest),
        classification_report=breakdown.report(table, point, manifest),
        kinds=breakdown.kinds(table, point, manifest),
        indeterminate=breakdown.indeterminate(table, point),
        operating_points=tuple(breakdown.operating_point(table, each) for each in manifest.operating_points),
        corruptions=breakdown.corruptions(table, point, selected),
        against_shortcut=adverse.against(table, point, said),
        mistakes=breakdown.mistakes(table, point),
        curves=curves.all_of(table.truth, table.probability),
        speed=speed,
        intervals=metrics.INTERVALS,
        versions={"python": platform.python_version(), **{name: libraries.version(name) for name in _LIBRARIES}},
        sentences={},
    )


def _metrics(table: Table, point: OperatingPoint, between_kinds: Estimate) -> Metrics:
    truth, probability, groups = table.truth, table.probability, table.groups
    called = rates(truth, probability >= point.threshold, groups)
    return Metrics(
        accuracy=called.accuracy,
        balanced_accuracy=called.balanced_accuracy,
        sensitivity=called.sensitivity,
        specificity=called.specificity,
        positive_predictive_value=called.positive_predictive_value,
        negative_predictive_value=called.negative_predictive_value,
        auroc=estimate(metrics.auroc, truth, probability, groups, BOTH),
        auprc=estimate(metrics.auprc, truth, probability, groups, NO_PNEUMONIA),
        bacterial_vs_viral_auroc=between_kinds,
        calibration_error=round(metrics.calibration_error(truth, probability), 4),
        brier=round(metrics.brier(truth, probability), 4),
    )


def _model(classifier: Classifier) -> ModelFacts:
    manifest, identity = classifier.manifest, classifier.identity
    return ModelFacts(
        name=identity.name,
        version=identity.version,
        sha256=identity.sha256,
        network_sha256=manifest.files[NETWORK_FILE],
        trained_on_sha256=manifest.origin.dataset_sha256,
        labels=tuple(label.name for label in manifest.labels),
        negative=manifest.negative,
    )


def _dataset(table: Table, found: Cases, unread: list[Unread], trained_on: str | None, held_out: bool) -> DatasetFacts:
    digests = [answer.sha256 for answer in table.answered]
    sha256 = cases.digest([answer.case for answer in table.answered], digests)
    return DatasetFacts(
        name=found.folder.resolve().name,
        sha256=sha256,
        pictures=len(table.truth),
        normal=int(np.sum(~table.truth)),
        pneumonia=int(np.sum(table.truth)),
        kinds=dict(sorted(Counter(str(kind) for kind in table.kind[table.truth] if kind).items())),
        patients=len(set(table.groups)),
        pictures_without_patient=sum(answer.case.patient is None for answer in table.answered),
        identical_pictures=len(digests) - len(set(digests)),
        seen_in_training=sha256 == trained_on,
        held_out=held_out,
        unreadable=tuple(UnreadableFile(file=one.case.shown, code=one.code, detail=one.detail) for one in unread),
        ignored_folders=found.ignored_folders,
    )


def _speed(table: Table, threads: int, seconds: float) -> Speed:
    times = np.array([list(_milliseconds(answer)) for answer in table.answered])
    decode, network, total = np.median(times, axis=0)
    return Speed(
        threads=threads,
        seconds=round(seconds, 2),
        decode_ms_median=round(float(decode), 2),
        network_ms_median=round(float(network), 2),
        total_ms_median=round(float(total), 2),
        total_ms_p95=round(float(np.percentile(times[:, 2], 95)), 2),
    )


def _milliseconds(answer: answers.Answered) -> tuple[float, float, float]:
    timing = answer.prediction.timing_ms
    return timing.decode, timing.network, timing.total
