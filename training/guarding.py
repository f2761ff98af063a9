"""Writes a package with a guard fitted to its network, for one that has none or whose data changed: the network stays the same."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from core import drift
from core.classifier import Classifier, calibrate
from core.manifest import GUARD_FILE, MANIFEST_FILE, Manifest
from core.network import Network
from training import answers, card, dataset, errors, guard, shelf, splits
from training.answers import Unread
from training.cases import Case
from training.kept import NOTHING, Kept
from training.pictures import GreyStack


class Gathered(NamedTuple):
    """The chests of a data set by their part of the split, and the files that could not be read."""

    chests: guard.Chests
    unread: list[Unread]


def gather(folder: Path, classifier: Classifier, threads: int, progress: bool = True) -> Gathered:
    """Read a data set and split it by patient: as the package's training did, where it is that data set.

    Raises:
        errors.TrainingError: one of its leaves: there is no data set, or too little.
    """
    manifest = classifier.manifest
    indexed = dataset.index(folder, progress, kinds_needed=False)
    parts: Mapping[str, Sequence[int]]
    if split := splits.of_training(indexed, manifest, progress):
        indexed, parts = split
    else:  # training never split these pictures
        parts = guard.deal([sample.group for sample in indexed.samples])
    read: dict[str, GreyStack] = {}
    unread: list[Unread] = []
    for part, positions in parts.items():
        cases = [Case(folder / indexed.samples[row].path, indexed.samples[row].path, False, None, None) for row in positions]

        def look(_case: Case, data: bytes) -> GreyStack:
            return answers.at_network_size(data, manifest.input)[0]

        greys, missing = answers.for_each(cases, look, threads, f"reading {part}", progress)
        unread.extend(missing)
        if len(greys) < guard.FEWEST:
            raise errors.TooFewPatients(
                f"Expected at least {guard.FEWEST} pictures in each part of the split. Received: {len(greys)} to {part}."
            )
        read[part] = np.stack(greys)
    return Gathered(guard.Chests(read["fit"], read["tune"], read["test"]), unread)


def write(
    parent: Path, manifest: Manifest, network: Network, chests: guard.Chests, version: str, folder: Path, kept: Kept = NOTHING
) -> Manifest:
    """Write the package with a guard; its probabilities get a reference for drift where they have none.

    Args:
        parent: the folder of the package that gives everything else.
        manifest: of that package.
        network: of that package.
        chests: by their part.
        version: of the new package.
        folder: of the new package; what is there is replaced.
        kept: of this package.

    Raises:
        errors.DiskFull, errors.CannotWrite: see `shelf.replacing`.
    """
    fitted = guard.fit(network, manifest.input, chests, kept=kept)
    new = guard.guarded(manifest, fitted)
    metrics = dict(new.metrics)
    if drift.REFERENCE not in metrics:
        negative, temperature = manifest.negative_index, manifest.temperature
        pneumonia = [1.0 - float(calibrate(one, temperature)[negative]) for one in fitted.probabilities]
        metrics[drift.REFERENCE] = drift.shares(pneumonia)
    origin = msgspec.structs.replace(manifest.origin, parent_version=manifest.version)
    new = msgspec.structs.replace(new, version=version, metrics=metrics, origin=origin)
    left_out = (shelf.CARD_FILE, GUARD_FILE, MANIFEST_FILE)
    with shelf.replacing(folder) as target:
        for name in manifest.files:
            if name not in left_out and not name.startswith(f"{shelf.REPORT_FOLDER}/"):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(parent / name, target / name)
        (target / GUARD_FILE).write_bytes(fitted.file)
        (target / shelf.CARD_FILE).write_text(card.write(new), encoding="utf-8")
        return shelf.sign(target, new)
