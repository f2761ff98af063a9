"""A retraining job from the worker that claimed it to its outcome: gather, learn, package, compare, and promote what is not worse.

Killed at any point it leaves the active model untouched: nothing that exists is changed, a version counts once its manifest is there, and
the promotion is one object, written last. Run again, it goes on after the last whole epoch, or after the package that it had written.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import msgspec

from core import errors as core_errors
from core import models, package, promotions, uploads
from core.living import RetrainOutcome
from core.manifest import Label, Manifest, is_package, read
from core.settings import Settings
from core.store import Store
from core.uploads import Counted
from core.worker import JobTakenOver, Worker
from training import (
    assembly,
    challenger,
    claims,
    disk,
    evaluate,
    experiment,
    export,
    fit,
    gate,
    guard,
    intake,
    origin,
    rebuild,
    reports,
    runs,
    runstate,
    tracking,
    verdict,
)
from training.configuration import Configuration
from training.gate import Comparison
from training.intake import Intake
from training.kept import Kept
from training.verdict import RECORD

_log = logging.getLogger(__name__)

_GATHERED, _LEARNED, _PACKAGED = 0.05, 0.8, 0.9  # how far the job is, in [0, 1]


class Champion(NamedTuple):
    """The active model: its package in a folder, and what it says."""

    folder: Path
    manifest: Manifest
    sha256: str


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a work folder is for: going on must mean the same start and the same pictures."""

    champion_sha256: str
    uploads: tuple[Counted, ...]


class _Task(NamedTuple):
    """What every step of a job needs."""

    store: Store
    worker: Worker
    settings: Settings
    work: Path
    journal: tracking.Journal


def run(store: Store, worker: Worker, settings: Settings, work: Path, journal: tracking.Journal) -> RetrainOutcome:
    """Carry out a claimed job and write down what came of it.

    Args:
        store: with the uploads, the models and the job.
        worker: the hold on the job.
        settings: base data set, gate, new labels.
        work: folder of the job's state; pictures lie in it, so it is removed when the job has ended.
        journal: where the run is recorded.

    Raises:
        core.worker.JobTakenOver: somebody else has the job.
        core.errors.StoreUnavailable: the store does not answer; the job can be run again.
    """
    with worker.beating():
        try:
            outcome = _carry_out(_Task(store, worker, settings, work, journal))
            worker.done(outcome)
        except (JobTakenOver, core_errors.StoreUnavailable):
            raise
        except core_errors.PneumoniaError as error:
            outcome = RetrainOutcome(result="failed", reasons=(f"{error.code}: {error}",))
            worker.fail(outcome.reasons[0])
        except Exception as error:
            worker.fail(f"unexpected: {type(error).__name__}: {str(error).partition(os.linesep)[0][:500]}")
            raise
    shutil.rmtree(work, ignore_errors=True)
    return outcome


def _carry_out(task: _Task) -> RetrainOutcome:
    written = verdict.written(task.store, task.worker.job_id)
    if written is not None:
        _log.info("going on with version %s, which this job has written", written.version)
        return verdict.promote(task.store, task.worker, task.settings, written, task.journal.shown)
    champion = _champion(task)
    sent = _snapshot(task, champion)
    labels = _labels(champion.manifest, task.settings, sent)
    configuration = challenger.recipe(champion.manifest, task.settings, len(labels))
    gathered = intake.gather(task.store, sent, task.settings.base_dataset, labels, champion.manifest.input, configuration.seed)
    reasons = gate.shortages(gathered.pictures.labels, gathered.split, task.settings)
    if reasons:
        return RetrainOutcome(result="kept", reasons=tuple(reasons), champion=champion.manifest.version)
    task.worker.progress(_GATHERED)
    name = champion.manifest.name
    recorded = task.journal.run(
        f"{name} job {task.worker.job_id}", task.work, origin.recipe(configuration), experiment.facts(gathered.pictures)
    )
    model = _learn(task, champion, gathered, configuration, labels, recorded)
    task.worker.progress(_LEARNED)
    answered = runs.packaging(task.work / "fit", {"pictures": gathered.pictures.dataset.sha256})
    with recorded.going(), disk.writing(task.work), answered as found:
        trained = experiment.Trained(model, gathered.pictures, gathered.split, champion.manifest.input, configuration, recorded)
        manifest = _package(task, champion, trained, gathered, labels, found)
    task.worker.progress(_PACKAGED)
    experiment.record_package(recorded, manifest, task.work / "package")
    task.worker.check()
    models.push(task.store, task.work / "package")
    return verdict.promote(task.store, task.worker, task.settings, manifest, task.journal.shown)


def _champion(task: _Task) -> Champion:
    """Bring the active model, or that of the installation where nothing was promoted yet."""
    active = promotions.latest(task.store)
    if active is None:
        package.load(task.settings.model)
        folder = package.locate(task.settings.model)
    else:
        folder = task.work / "champion" / active.sha256[:16]
        if not is_package(folder):
            models.fetch(task.store, active.version, folder)
        package.load(folder)
    manifest, data = read(folder)
    return Champion(folder, manifest, hashlib.sha256(data).hexdigest())


def _labels(manifest: Manifest, settings: Settings, sent: Sequence[Counted]) -> tuple[Label, ...]:
    """Return the labels of the challenger: a kind that the settings allow and that was uploaded comes behind those of the champion.

    One whose code the settings do not tell gets that of pneumonia of any kind.
    """
    known, there = {label.name for label in manifest.labels}, {upload.slug for upload in sent}
    new = [name for name in settings.extra_labels if name not in known and uploads.slug(name) in there]
    return (*manifest.labels, *(Label(name=name, code=settings.extra_labels[name] or manifest.pneumonia_code) for name in new))


def _snapshot(task: _Task, champion: Champion) -> tuple[Counted, ...]:
    """Return the uploads that this job learns from: as it was when the job began, unless another model became active since."""
    path = task.work / "snapshot.json"
    if path.is_file():
        there = msgspec.json.decode(path.read_bytes(), type=_Snapshot)
        if there.champion_sha256 == champion.sha256:
            return there.uploads
        for old in (path, task.work / "fit", task.work / "package"):
            shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    names = [label.name for label in champion.manifest.labels]
    snapshot = _Snapshot(champion_sha256=champion.sha256, uploads=intake.find_uploads(task.store, [*names, *task.settings.extra_labels]))
    with disk.writing(task.work):
        task.work.mkdir(parents=True, exist_ok=True)
        reports.write(path, msgspec.json.encode(snapshot))
    return snapshot.uploads


def _learn(
    task: _Task, champion: Champion, gathered: Intake, configuration: Configuration, labels: tuple[Label, ...], recorded: tracking.Run
) -> keras.Model:
    """Fine-tune the champion, or go on with it."""
    manifest, work = champion.manifest, task.work / "fit"
    learn_on, tune_on = (gathered.pictures.take(gathered.split[part]) for part in ("fit", "tune"))
    epochs = configuration.head_epochs + configuration.epochs

    def start() -> keras.Model:
        model = rebuild.network(champion.folder, manifest, configuration.dropout)
        return model if len(labels) == len(manifest.labels) else rebuild.extended(model, len(labels), configuration.dropout)

    def after_epoch() -> None:
        phases.sync()
        state = runstate.read(work) or runstate.State()
        task.worker.progress(_GATHERED + (_LEARNED - _GATHERED) * state.done / epochs)

    judge = experiment.judge_on(tune_on, manifest.input)
    facts = experiment.facts(gathered.pictures)
    phases = tracking.Phases(recorded, work / runstate.HISTORY_FILE, configuration.head_epochs, origin.recipe(configuration), facts)
    with phases.going(), disk.writing(work):
        return fit.fit(learn_on, len(labels), configuration, manifest.input, judge, work, after_epoch, start)


def _package(
    task: _Task, champion: Champion, trained: experiment.Trained, gathered: Intake, labels: tuple[Label, ...], found: Kept
) -> Manifest:
    """Write the challenger's package with its report, both models compared on the held-out patients."""
    folder, before = task.work / "package", champion.manifest
    version = challenger.next_version([*models.versions(task.store), before.version], before.version, task.worker.job_id)
    base = task.settings.base_dataset
    source = f"{gathered.uploads} uploads" + (f" and {base.resolve().name}" if base else "")
    required = challenger.requirements(before)
    parts = assembly.assemble(trained, assembly.Release(before.name, version, source, requirements=required), labels, found)
    made = {
        **origin.link(trained.run.id),
        "job": task.worker.job_id,
        "uploads": gathered.uploads,
        "base_dataset_sha256": gathered.base_sha256,
        "requirements": required._asdict(),
    }
    manifest = msgspec.structs.replace(
        parts.manifest,
        pneumonia_code=before.pneumonia_code,
        of_children=before.of_children,
        origin=challenger.origin(parts.manifest.origin, before, champion.sha256, made),
        intended_use=before.intended_use,
        limits=guard.limits(claims.retrained(before), parts.manifest.metrics.get("guard"), for_children=before.for_children),
    )
    export.write(parts._replace(manifest=manifest), folder, trained.model)
    task.worker.progress(_LEARNED)
    retrained, champions = _examined(task, gathered, folder, labels), _examined(task, gathered, champion.folder, before.labels)
    comparison = Comparison(champion=gate.standing(champions), challenger=gate.standing(retrained), pictures=len(gathered.split["test"]))
    manifest = msgspec.structs.replace(manifest, metrics={**manifest.metrics, RECORD: msgspec.to_builtins(comparison)})
    return export.write(parts._replace(manifest=manifest), folder, trained.model, retrained.evaluation)


def _examined(task: _Task, gathered: Intake, folder: Path, labels: tuple[Label, ...]) -> evaluate.Examined:
    """Evaluate a package on the held-out pictures, through the serving path."""
    pictures = task.work / "held-out" / str(len(labels))
    threads = os.cpu_count() or 1
    intake.lay_out(task.store, gathered, pictures, [label.name for label in labels])
    return evaluate.evaluate(package.load(folder, threads), pictures, threads=threads, progress=False)
