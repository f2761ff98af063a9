"""One training run from folder to package: index, load, split, fit, calibrate, measure, export. Called by `pneumonia train`."""

import hashlib
import logging
from pathlib import Path
from typing import Final, NamedTuple

import keras
import msgspec
import numpy as np

from core.manifest import MANIFEST_FILE, InputContract, Manifest
from training import architectures, calibrate, dataset, disk, errors, metrics, networks, origin, restart, shifts, soft, splits, tracking
from training.augment import SHIFTS
from training.configuration import Configuration
from training.fit import Judge, Start, fit
from training.names import KINDS
from training.pictures import Pictures, load
from training.runstate import HISTORY_FILE

_log = logging.getLogger(__name__)

RUN_FILE: Final = "run.json"
COMMIT_FILE: Final = "commit.txt"


class Trained(NamedTuple):
    """What a run has learned, and from what."""

    model: keras.Model
    pictures: Pictures
    split: splits.Split
    contract: InputContract
    configuration: Configuration
    run: tracking.Run


def train(folder: Path, configuration: Configuration, work: Path, name: str, journal: tracking.Journal) -> Trained:
    """Train on a data set folder, or go on with the run in `work`.

    Args:
        folder: of the data set.
        configuration: the recipe.
        work: folder of the run's state.
        name: what the run is called.
        journal: where it is recorded.

    Raises:
        errors.TrainingError: one of its leaves, before any time is spent on learning where that can be told.
    """
    contract = networks.input_contract(configuration.arch, configuration.side_px)
    architectures.weights_file(configuration.weights)  # before minutes go into decoding
    restart.refuse_share(configuration)
    indexed = dataset.index(folder)
    said = soft.read(configuration)
    pictures = load(indexed, contract)
    split = splits.split(pictures.dataset, configuration.seed)
    fit_on = soft.softened(pictures, split["fit"], configuration, said)
    start = _start(configuration, fit_on)
    claim(work, configuration, pictures.dataset.sha256)
    for part, positions in split.items():
        patients = len(set(pictures.groups[list(positions)]))
        _log.info("%s: %d pictures of %d patients", part, len(positions), patients)
    run = journal.run(name, work, origin.recipe(configuration), facts(pictures))
    model = learn(fit_on, pictures.take(split["tune"]), configuration, contract, work, run, start)
    return Trained(model, pictures, split, contract, configuration, run)


def _start(configuration: Configuration, fit_on: Pictures) -> Start | None:
    """Return what builds the model from a package, where the recipe starts from one.

    Raises:
        errors.InitialWeightsUnusable, errors.SeenInTraining: that package cannot be the start.
    """
    folder = architectures.package_folder(configuration.weights)
    if folder is None:
        return None
    manifest = restart.manifest_of(folder, fit_on.dataset.sha256, configuration)
    return lambda: restart.network(folder, manifest, configuration, fit_on)


def learn(
    fit_on: Pictures,
    tune_on: Pictures,
    configuration: Configuration,
    contract: InputContract,
    work: Path,
    run: tracking.Run,
    start: Start | None = None,
) -> keras.Model:
    """Fit a network, or go on with the fit in `work`, and return that of the epoch that the recipe keeps.

    Args:
        fit_on: what it learns from.
        tune_on: what chooses the epoch, where the recipe keeps the best.
        configuration: the recipe.
        contract: the network's input.
        work: folder of the fit's state.
        run: what the two phases are recorded below.
        start: gives the model to start from; None builds that of the recipe.

    Raises:
        errors.DiskFull, errors.CannotWrite: a checkpoint cannot be written.
    """
    judge = judge_on(tune_on, contract) if configuration.keep == "best" else None
    phases = tracking.Phases(run, work / HISTORY_FILE, configuration.head_epochs, origin.recipe(configuration), facts(fit_on))
    with phases.going(), disk.writing(work):
        return fit(fit_on, len(KINDS), configuration, contract, judge, work, phases.sync, start)


def facts(pictures: Pictures) -> dict[str, str]:
    """Return what a recorded run says of its data and code."""
    commit = origin.commit()
    return {"dataset_sha256": pictures.dataset.sha256, "commit": commit, "mlflow.source.git.commit": commit.removesuffix("+changes")}


def record_package(run: tracking.Run, manifest: Manifest, folder: Path) -> None:
    """Record a package with its run: the measured figures, its digest and its files; and that the run has ended well."""
    measured = {name: value["value"] for name, value in manifest.metrics.items() if isinstance(value, dict) and "value" in value}
    run.record({name if name in ("train_auroc", "validation_auroc") else f"test_{name}": value for name, value in measured.items()})
    digest = hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
    run.tag({"package": f"{manifest.name} {manifest.version}", "package_sha256": digest})
    run.keep(folder, "package")
    run.finish()


def judge_on(tune: Pictures, contract: InputContract) -> Judge:
    """Return what judges an epoch: loss and AUROC over the tune pictures, plain and each under one simulated shift.

    The loss gives every class the same weight and is taken after the best temperature: label smoothing and long training change how sure
    the network is, which calibration undoes, and that must not choose the epoch.
    """
    grey = np.concatenate([tune.grey, shifts.shifted(tune.grey, SHIFTS[1:])])
    labels = np.concatenate([tune.labels, tune.labels])
    weights = (1.0 / np.bincount(labels, minlength=len(KINDS)).clip(1))[labels]

    def judge(model: keras.Model) -> dict[str, float]:
        raw = shifts.predict(shifts.predictor(model), grey, contract)
        probabilities = calibrate.soften(raw, calibrate.fit_temperature(raw, labels, weights))
        pneumonia, half = 1.0 - probabilities[:, 0], len(tune.labels)
        return {
            "loss": metrics.negative_log_likelihood(probabilities, labels, weights),
            "auroc": metrics.auroc(labels[:half] > 0, pneumonia[:half]),
            "auroc_shifted": metrics.auroc(labels[half:] > 0, pneumonia[half:]),
        }

    return judge


def claim(work: Path, configuration: Configuration, dataset_sha256: str, folds: int = 0) -> None:
    """Write down what the work folder is for; a run of something else must not go on in it.

    Args:
        work: the folder.
        configuration: the recipe.
        dataset_sha256: of the readable pictures.
        folds: of a cross-validation; 0 for one training.

    Raises:
        errors.RunMismatch: the folder holds a run of something else.
        errors.InvalidPredictions: the file of soft targets cannot be read.
        errors.DiskFull, errors.CannotWrite: the folder cannot be written to.
    """
    record = {
        "dataset_sha256": dataset_sha256,
        "recipe": origin.recipe(configuration),
        "initial_weights": origin.initial_weights(configuration.weights),
        **({"folds": folds} if folds else {}),
    }
    wanted = msgspec.json.encode(record, order="sorted")
    path = work / RUN_FILE
    if path.is_file() and _with_defaults(path.read_bytes()) != wanted:
        raise errors.RunMismatch(
            f"Expected a new folder or the one of the same run (data set, recipe, seed, initial weights). Received: {work}, which holds "
            "another; give another --work or remove it."
        )
    with disk.writing(work):
        work.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wanted)
        _keep_commit(work)


def _with_defaults(data: bytes) -> bytes:
    """Return the record of a run as it would be written now: a setting that did not exist yet was what is the default today."""
    try:
        record = msgspec.json.decode(data)
        record["recipe"] = msgspec.to_builtins(msgspec.convert(record["recipe"], Configuration))
    except (msgspec.MsgspecError, LookupError, TypeError):
        return data
    return msgspec.json.encode(record, order="sorted")


def made_with(work: Path) -> str | None:
    """Return the commit of the code that made the run in `work`, "A then B" where it was gone on with another; None where nobody tells."""
    path = work / COMMIT_FILE
    return " then ".join(path.read_text("utf-8").split()) if path.is_file() else None


def _keep_commit(work: Path) -> None:
    """Write down the code that a run starts with, and each other that it goes on with, which is said."""
    before, now = made_with(work), origin.commit()
    if before is not None and before.split(" then ")[-1] == now:
        return
    if before is not None:
        _log.warning("the code changed since this run started: from commit %s to %s", before, now)
    with (work / COMMIT_FILE).open("a", encoding="utf-8") as file:
        file.write(f"{now}\n")
