"""The pictures of a folder-per-class data set with what is known of each: pneumonia or not, perhaps the kind, perhaps the patient.

Unlike `training.dataset`, which trains three kinds and refuses what it cannot place, an evaluation takes what there is: a class may be
missing and names may say nothing.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from core.manifest import Label, Manifest
from training import dataset, errors, names, splits

_log = logging.getLogger(__name__)


class Case(NamedTuple):
    """One file. `shown` is its path below the data set as text; `kind` and `patient` are None where nothing tells them."""

    file: Path
    shown: str
    pneumonia: bool
    kind: str | None
    patient: str | None


class Cases(NamedTuple):
    """The files of the class folders, sorted, and the names of the folders that are no class of the package."""

    folder: Path
    cases: tuple[Case, ...]
    ignored_folders: tuple[str, ...]


class Meaning(Protocol):
    """What the outputs of a network mean: a manifest says it, and so does a person who brings a network without one."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels, in order."""

    @property
    def negative(self) -> str:
        """The name of the one that is no pneumonia."""


def find(folder: Path, meaning: Meaning) -> Cases:
    """List the files below the class folders; hidden files are left out.

    Args:
        folder: holds NORMAL and PNEUMONIA, or one of them, or a folder for each kind, or folders named after the labels; capitals do not
            matter.
        meaning: of the network's outputs, a manifest for one.

    Raises:
        errors.DatasetMissing, errors.NoClassFolders: there is nothing to evaluate on.
    """
    classes = _classes(meaning)
    expected = f"a folder that holds NORMAL and PNEUMONIA, or folders named {', '.join(label.name for label in meaning.labels)}"
    if not folder.is_dir():
        raise errors.DatasetMissing(f"Expected {expected}. Received: {folder}, which is no folder.")
    present = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    known = [child for child in present if names.folder_key(child.name) in classes]
    ignored = tuple(_text(child.name) for child in present if names.folder_key(child.name) not in classes)
    if not known:
        raise errors.NoClassFolders(f"Expected {expected}. Received: {', '.join(ignored) or 'no folder at all'} in {folder}.")
    if ignored:
        _log.warning("passed over: Expected %s. Received as well: %s.", expected, ", ".join(ignored))
    found = [
        _describe(file, folder, *classes[names.folder_key(child.name)])
        for child in known
        for file in child.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    ]
    return Cases(folder, tuple(sorted(found, key=lambda case: case.shown)), ignored)


def held_out(found: Cases, manifest: Manifest, progress: bool = True) -> Cases:
    """Return only the pictures of the patients that the package's training held out: the part `test` of its split.

    Args:
        found: the data set that the package was trained on.
        manifest: of the package, for the digest of that data set and the seed of its split.
        progress: show a progress bar.

    Raises:
        errors.NotTrainedOn: the package was trained on other pictures, or does not say how it split them.
    """
    indexed = dataset.index(found.folder, progress)
    split = splits.of_training(indexed, manifest, progress)
    if split is None:
        raise errors.NotTrainedOn(
            f"Expected the data set that the package was trained on (sha256 {manifest.origin.dataset_sha256}) and a seed in its "
            f"manifest, to know whom training held out. Received: {found.folder} (sha256 {indexed.sha256})."
        )
    seen, parts = split
    kept = {seen.samples[position].path for position in parts["test"]}
    return found._replace(cases=tuple(case for case in found.cases if case.shown in kept))


def groups(cases: Sequence[Case], digests: Sequence[str]) -> list[str]:
    """Return the patient group of each picture; one whose patient nothing tells stands alone, identical pictures together.

    Args:
        cases: the pictures.
        digests: the sha256 of each, in the same order.
    """
    return dataset.group([case.patient or f"picture {case.shown}" for case in cases], digests)


def digest(cases: Sequence[Case], digests: Sequence[str]) -> str:
    """Return the digest of these pictures together: that of `training.dataset` for the same folder."""
    samples = [
        dataset.Sample(path=case.shown, sha256=sha256, kind="", patient="", group="") for case, sha256 in zip(cases, digests, strict=True)
    ]
    return dataset.digest(samples)


def _classes(meaning: Meaning) -> dict[str, tuple[bool, str | None]]:
    """Return for each name that a folder may have: whether it means pneumonia, and which kind."""
    kinds = names.KIND_OF_FOLDER.items()
    classes = {key: (kind != names.NORMAL, None if kind == names.PNEUMONIA else kind) for key, kind in kinds}
    classes[names.folder_key(names.NORMAL)] = (False, meaning.negative)
    for label in meaning.labels:
        # A package of two labels calls its positive one pneumonia: no kind.
        known_kind = None if names.folder_key(label.name) == names.PNEUMONIA else label.name
        classes[names.folder_key(label.name)] = (label.name != meaning.negative, known_kind)
    return classes


def _describe(file: Path, folder: Path, pneumonia: bool, kind: str | None) -> Case:
    shown = _text(file.relative_to(folder).as_posix())
    below = shown.partition("/")[2]
    named_kind, patient = names.describe(f"{names.PNEUMONIA if pneumonia else names.NORMAL}/{below}", kinds_needed=False)
    if kind is None and named_kind != names.PNEUMONIA:
        kind = named_kind
    return Case(file, shown, pneumonia, kind, patient if names.tells_patient(patient) else None)


def _text(name: str) -> str:
    """A file name as text: on old disks some are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
