"""Cross-validation by patient: every picture is answered once, by a network that never saw its patient. Called by `pneumonia crossval`.

Fold i is held out, the fold after it chooses the epoch, the others teach: nothing of the held-out patients chooses anything. A recipe that
keeps the last epoch lets all others teach. A fold that is done lies in a file; killed at any point, the same command goes on in the fold
that was running.
"""

import logging
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from core.manifest import InputContract
from training import (
    dataset,
    disk,
    errors,
    experiment,
    foldfiles,
    metrics,
    networks,
    origin,
    restart,
    runstate,
    shifts,
    soft,
    splits,
    tracking,
)
from training.configuration import Configuration
from training.decided import viral_share
from training.names import KINDS, NORMAL, VIRAL
from training.pictures import Pictures, load
from training.shifts import predictor

_log = logging.getLogger(__name__)

RESULT_FOLDER: Final = "result"
SUMMARY_FILE: Final = "summary.json"
FEWEST_FOLDS: Final = 3  # one held out, one that chooses, one that teaches; with two, half of the patients would teach

_CHUNK: Final = 256
_ROUNDED: Final = 4


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over the folds: mean, lowest and highest, and each fold's."""

    mean: float
    low: float
    high: float
    folds: tuple[float, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a cross-validation found, on what, and the digests of the predictions behind it.

    `figures` are of the folds' networks as they are, without the correction that is in the predictions (`training.foldfiles`).
    """

    name: str
    arch: str
    folds: int
    pictures: int
    patients: int
    unreadable: int
    teaching: bool = False
    dataset_sha256: str
    config: dict[str, Any]
    initial_weights: str
    commit: str
    libraries: dict[str, str]
    figures: dict[str, Spread]
    files: dict[str, str]


class Request(NamedTuple):
    """What is to be cross-validated, and where; with `teaching` only on the patients that `train` with the same seed would teach."""

    configuration: Configuration
    folds: int
    work: Path
    name: str
    teaching: bool = False


def validate(folder: Path, request: Request, journal: tracking.Journal) -> Summary:
    """Cross-validate a recipe on a data set folder, or go on with the cross-validation in the work folder.

    Raises:
        errors.TrainingError: one of its leaves, before any time is spent on learning where that can be told.
    """
    if request.folds < FEWEST_FOLDS:
        raise errors.InvalidOption(f"Expected at least {FEWEST_FOLDS} folds. Received: {request.folds}.")
    configuration, work = request.configuration, request.work
    refuse(configuration)
    contract = networks.input_contract(configuration.arch, configuration.side_px)
    pictures = load(dataset.index(folder), contract)
    if request.teaching:
        pictures = _teaching(pictures, configuration.seed)
    dealt = splits.folds(pictures.dataset, request.folds, configuration.seed)
    experiment.claim(work, configuration, pictures.dataset.sha256, request.folds)
    parameters = {**origin.recipe(configuration), "folds": request.folds, "teaching": request.teaching}
    run = journal.run(request.name, work, parameters, experiment.facts(pictures))
    with run.going(), disk.writing(work):
        for number in tqdm(range(1, request.folds + 1), "folds", unit="fold"):
            if not foldfiles.of(work, number).is_file():
                fold_run = run.at(f"fold {number}", work / f"fold-{number}", parameters, experiment.facts(pictures))
                _run_fold(number, pictures, dealt, request, contract, fold_run)
        summary = _conclude(pictures, dealt, request)
    run.record({name: spread.mean for name, spread in summary.figures.items()})
    run.keep(work / RESULT_FOLDER, RESULT_FOLDER)
    run.finish()
    return summary


def refuse(configuration: Configuration) -> None:
    """Refuse, before hours go into it, a recipe whose networks would know the patients that are held out from a fold.

    Raises:
        errors.SeenInTraining, errors.InitialWeightsUnusable, errors.InvalidConfiguration: see `restart.refuse` and `soft.refuse`.
    """
    restart.refuse(configuration)
    soft.refuse(configuration)


def read(folder: Path) -> Summary:
    """Return the summary of a finished cross-validation.

    Raises:
        OSError, msgspec.DecodeError: there is none.
    """
    return msgspec.json.decode((folder / RESULT_FOLDER / SUMMARY_FILE).read_bytes(), type=Summary)


def parts(number: int, folds: int, chosen: bool) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the names of the fold that is held out, the one that chooses the epoch, if one is `chosen`, and those that teach."""
    held_out, chooses = str(number), str(number % folds + 1) if chosen else None
    return held_out, chooses, tuple(name for name in map(str, range(1, folds + 1)) if name not in (held_out, chooses))


def _teaching(pictures: Pictures, seed: int) -> Pictures:
    """Leave out the patients who choose or are held out in a training with this seed; the data set is then another, and says so."""
    taught = splits.split(pictures.dataset, seed)["fit"]
    taken = pictures.take(taught)
    others = set(pictures.paths.tolist()) - set(taken.paths.tolist())
    return taken._replace(dataset=pictures.dataset.without(others))


def _run_fold(number: int, pictures: Pictures, dealt: splits.Split, request: Request, contract: InputContract, run: tracking.Run) -> None:
    """Train without one fold and write down what the network says of it, under every simulated shift."""
    held_out, chooses, teach = parts(number, request.folds, request.configuration.keep == "best")
    fit_on = pictures.take(sorted(position for name in teach for position in dealt[name]))
    tune_on, rest = pictures.take(dealt[chooses] if chooses else ()), pictures.take(dealt[held_out])
    _log.info("fold %d of %d: %d pictures teach, %d choose, %d are held out", number, request.folds, *map(_size, (fit_on, tune_on, rest)))
    model = experiment.learn(fit_on, tune_on, request.configuration, contract, request.work / f"fold-{number}", run)
    network = predictor(model)
    probabilities = shifts.predict_all(network, rest, contract)
    scores = {
        "train_auroc": _auroc(_predict(network, fit_on, contract), fit_on),
        **({"validation_auroc": _auroc(_predict(network, tune_on, contract), tune_on)} if chooses else {}),
        **_held_out_figures(probabilities, rest),
    }
    run.record(scores)
    run.finish()
    keras.utils.clear_session()
    foldfiles.keep(request.work, number, probabilities, scores)


def _conclude(pictures: Pictures, dealt: splits.Split, request: Request) -> Summary:
    """Put the folds together: predictions of all pictures in the data set's order, a table of them, and the figures."""
    gathered = foldfiles.corrected(foldfiles.gather(request.work, dealt), pictures.labels)
    result = request.work / RESULT_FOLDER
    result.mkdir(exist_ok=True)
    files = foldfiles.write(result, pictures, gathered)
    summary = Summary(
        name=request.name,
        arch=request.configuration.arch,
        folds=request.folds,
        pictures=len(gathered.fold),
        patients=len(set(pictures.groups)),
        unreadable=len(pictures.unreadable),
        teaching=request.teaching,
        dataset_sha256=pictures.dataset.sha256,
        config=origin.recipe(request.configuration),
        initial_weights=origin.initial_weights(request.configuration.weights),
        commit=experiment.made_with(request.work) or origin.commit(),
        libraries=origin.versions(),
        figures={name: spread(values) for name, values in gathered.figures.items()},
        files=files,
    )
    runstate.replace(result / SUMMARY_FILE, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    return summary


def spread(values: list[float]) -> Spread:
    """Return mean and range of one figure over the folds."""
    rounded = tuple(round(value, _ROUNDED) for value in values)
    return Spread(mean=round(float(np.mean(values)), _ROUNDED), low=min(rounded), high=max(rounded), folds=rounded)


def _held_out_figures(probabilities: npt.NDArray[Any], pictures: Pictures) -> dict[str, float]:
    """Figures that need no threshold: those come from all folds together, by `calibrate`."""
    ill = pictures.labels != KINDS.index(NORMAL)
    viral = viral_share(probabilities[0][ill], KINDS)
    return {
        "auroc": _auroc(probabilities[0], pictures),
        "auroc_shifted": float(np.mean([_auroc(under, pictures) for under in probabilities[1:]])),
        "auprc": metrics.auprc(ill, 1.0 - probabilities[0][:, KINDS.index(NORMAL)]),
        "bacterial_vs_viral_auroc": metrics.auroc(pictures.labels[ill] == KINDS.index(VIRAL), viral),
        "log_loss": metrics.negative_log_likelihood(np.asarray(probabilities[0], np.float64), pictures.labels),
    }


def _auroc(probabilities: npt.NDArray[Any], pictures: Pictures) -> float:
    normal = KINDS.index(NORMAL)
    return metrics.auroc(pictures.labels != normal, 1.0 - probabilities[:, normal])


def _predict(network: shifts.Predict, pictures: Pictures, contract: InputContract) -> npt.NDArray[np.float64]:
    starts = tqdm(range(0, _size(pictures), _CHUNK), "answering", unit="chunk", leave=False)
    return np.concatenate([shifts.predict(network, pictures.grey[start : start + _CHUNK], contract) for start in starts])


def _size(pictures: Pictures) -> int:
    return len(pictures.labels)
