"""What a package is made of: a package that is there already, a run that has just ended, or the work folder of one that ended before.

Called by `pneumonia train`, `pneumonia export` and `pneumonia retrain`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import keras
import msgspec

from core.manifest import NETWORK_FILE, SELFTEST_FILE, Manifest, SelfTest, read
from training import assembly, data_page, dataset, disk, errors, experiment, history, kept, networks, origin, runstate, splits, tracking
from training.assembly import Parts, Release
from training.configuration import Configuration
from training.experiment import RUN_FILE, Trained
from training.history import History
from training.kept import Kept
from training.pictures import load
from training.runstate import BEST_FILE, HISTORY_FILE, State
from training.shelf import CARD_FILE, REPORT_FOLDER

_OF_CHILDREN_FILE: Final = "of-children"
"""Is in a work folder whose network children taught because a person, or the package that it went on from, says so."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a work folder says it is for."""

    dataset_sha256: str
    recipe: dict[str, Any]
    initial_weights: str


def of_package(folder: Path) -> tuple[Parts, dict[str, bytes]]:
    """Return the parts of a package and its other files, without its card and report, which are made anew; its data page stays.

    Raises:
        errors.RunUnusable: it is no whole package.
    """
    try:
        manifest, _ = read(folder)
        files = {name: (folder / name).read_bytes() for name in manifest.files}
        changed = [name for name, data in files.items() if hashlib.sha256(data).hexdigest() != manifest.files[name]]
        flatbuffer, selftest = files.pop(NETWORK_FILE), msgspec.json.decode(files.pop(SELFTEST_FILE), type=SelfTest)
    except (OSError, ValueError, KeyError) as error:
        raise errors.RunUnusable(f"Expected a whole package in {folder}. Received: {error}.") from error
    if changed:
        raise errors.RunUnusable(f"Expected a package as it was written. Received: {', '.join(changed)} changed since.")
    made_anew = {name for name in files if name == CARD_FILE or (name.startswith(f"{REPORT_FOLDER}/") and not data_page.belongs(name))}
    others = {name: data for name, data in files.items() if name not in made_anew}
    return Parts(manifest, flatbuffer, selftest), others


def with_caveats(parts: Parts, caveats: Sequence[str]) -> Parts:
    """Return the parts of a package whose limits, on card, page and in `/model`, end with these sentences, each once and on one line."""
    limits = tuple(dict.fromkeys((*parts.manifest.limits, *(" ".join(caveat.split()) for caveat in caveats))))
    return parts._replace(manifest=msgspec.structs.replace(parts.manifest, limits=limits))


def note_children(work: Path) -> None:
    """Write down in a run's work folder that children taught its network, for whoever exports the run later."""
    with disk.writing(work):
        (work / _OF_CHILDREN_FILE).touch()


@contextmanager
def packaging(work: Path, data: Mapping[str, str] = MappingProxyType({})) -> Iterator[Kept]:
    """Give what an interrupted packaging of a finished run has worked out; it lies in the run's work folder.

    Args:
        work: the run's work folder.
        data: what tells the pictures, where no record of the run does.
    """
    files = [work / name for name in (RUN_FILE, BEST_FILE)]
    asked = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}
    with kept.opened(work, "packaging", {**asked, **data, "backend": keras.backend.backend()}) as found:
        yield found


def assembled(trained: Trained, release: Release, work: Path, found: Kept) -> Parts:
    """Return the parts of a package; its origin names MLflow's run, and code and backend that made the run in `work`, not what exports it.

    Args:
        trained: what the run in `work` has learned.
        release: what only a person can say.
        work: the run's work folder.
        found: of `packaging`.

    Raises:
        errors.ConversionFailed, errors.ParityBroken: the network cannot serve.
    """
    # The files that the run started from may be gone or others since: it wrote down what they were.
    unread = msgspec.structs.replace(trained.configuration, soft_targets="")
    parts = assembly.assemble(trained._replace(configuration=unread), release, kept=found)
    now = parts.manifest.origin
    state = runstate.read(work) or State()
    learned = {"precision": state.precision} if state.precision else {}
    config = {**_record(work).recipe, **learned, **origin.link(trained.run.id)}
    began = msgspec.structs.replace(
        now, commit=experiment.made_with(work) or now.commit, config=config, libraries=origin.learned_on(now.libraries, state.learned_on)
    )
    return parts._replace(manifest=msgspec.structs.replace(parts.manifest, origin=began))


def of_work(work: Path, folder: Path, release: Release, found: Kept) -> tuple[Parts, keras.Model]:
    """Return the parts of a package of a finished run, calibrated and measured on its data set, and the model.

    Args:
        work: the run's work folder.
        folder: the data set that it was trained on.
        release: what only a person can say.
        found: of `packaging`.

    Raises:
        errors.RunUnusable: the run is not finished, or there is none.
        errors.RunMismatch: it was trained on another data set.
    """
    record, configuration = _finished(work)
    contract = networks.input_contract(configuration.arch, configuration.side_px)
    pictures = load(dataset.index(folder), contract)
    if pictures.dataset.sha256 != record.dataset_sha256:
        raise errors.RunMismatch(
            f"Expected the data set that the run was trained on, sha256 {record.dataset_sha256[:12]}…. "
            f"Received: {folder}, sha256 {pictures.dataset.sha256[:12]}…."
        )
    model = keras.models.load_model(work / BEST_FILE, compile=False)
    split = splits.split(pictures.dataset, configuration.seed)
    unnamed = msgspec.structs.replace(configuration, weights="none")
    recorded = tracking.Journal(tracking.NOWHERE).run(work.name, work, {}, {})  # training recorded this run; export records nothing
    release = release._replace(of_children=release.of_children or (work / _OF_CHILDREN_FILE).is_file())
    parts = assembled(Trained(model, pictures, split, contract, unnamed, recorded), release, work, found)
    began = msgspec.structs.replace(parts.manifest.origin, initial_weights=record.initial_weights)
    return parts._replace(manifest=msgspec.structs.replace(parts.manifest, origin=began)), model


def epochs_of(file: Path, manifest: Manifest) -> dict[str, bytes]:
    """Return the history of the run that made a package, as a file that goes along in it; nothing where there is none.

    Raises:
        errors.RunUnusable: it is no history.
        errors.RunMismatch: it is of a run with another number of epochs.
    """
    if not file.is_file():
        return {}
    data = file.read_bytes()
    run = history.read(data)
    epochs, expected = len(run.epochs), _epochs(run, manifest.origin.config)
    if epochs != expected:
        raise errors.RunMismatch(f"Expected the history of the package's run, {expected} epochs. Received: {file}, {epochs} epochs.")
    return {HISTORY_FILE: data}


def _epochs(run: History, config: dict[str, Any]) -> int:
    """Return after how many epochs a run with this recipe and this history ends."""
    head = int(config.get("head_epochs", 0))
    epochs = int(config.get("epochs", len(run.epochs) - head))
    return runstate.last_epoch(history.kept(run, head) or 0, head, epochs, int(config.get("patience", 0)))


def _record(work: Path) -> Record:
    return msgspec.json.decode((work / RUN_FILE).read_bytes(), type=Record)


def _finished(work: Path) -> tuple[Record, Configuration]:
    try:
        record = _record(work)
        configuration = msgspec.convert(record.recipe, Configuration)
        state = runstate.read(work) or State()
    except (OSError, msgspec.MsgspecError) as error:
        raise errors.RunUnusable(f"Expected a package, or the work folder of a training run. Received: {work}: {error}.") from error
    epochs = configuration.head_epochs + configuration.epochs
    if not runstate.enough(state, configuration) or not (work / BEST_FILE).is_file():
        raise errors.RunUnusable(
            f"Expected a finished run. Received: {work} after {state.done} of {epochs} epochs; `pneumonia train` as before goes on."
        )
    return record, configuration
