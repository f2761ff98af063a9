"""A folder-per-class data set of chest X-rays: which pictures there are, of which patient, of which kind.

Called first by every training command. Pictures of one patient share a group, and so do pictures that are byte-identical (the public
train split holds 24 sets of them, as `pneumonia explore` shows): whoever splits by group cannot leak.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
from tqdm import tqdm

from core import images
from core.errors import PictureError
from training import errors, names

_log = logging.getLogger(__name__)

_EXPECTED: Final = "the folders NORMAL and PNEUMONIA, or normal, bacterial-pneumonia and viral-pneumonia"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: where it is, what it shows, whose it is. `group` is the smallest patient name among those it must stay with."""

    path: str
    sha256: str
    kind: str
    patient: str
    group: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of a folder, sorted by path; `sha256` is over the sorted (path, file digest) pairs of all of them."""

    folder: Path
    samples: tuple[Sample, ...]
    sha256: str

    def without(self, paths: Iterable[str]) -> "Dataset":
        """Return the data set less the samples at these paths; the digest is that of what is left."""
        dropped = set(paths)
        samples = tuple(sample for sample in self.samples if sample.path not in dropped)
        return Dataset(folder=self.folder, samples=samples, sha256=digest(samples))

    def as_trained(self, sha256: str | None, progress: bool = True) -> "Dataset":
        """Return the data set as a training saw it whose digest this is, so without unreadable files; itself where it is another."""
        if sha256 is None or self.sha256 == sha256:
            return self
        bar = tqdm(self.samples, "looking for unreadable files", unit="file", disable=not progress)
        readable = self.without([sample.path for sample in bar if not is_readable(self.folder / sample.path)])
        return readable if readable.sha256 == sha256 else self


def index(folder: Path, progress: bool = True, kinds_needed: bool = True) -> Dataset:
    """List the pictures of a data set folder that holds NORMAL/ and PNEUMONIA/, or a folder for each kind.

    A warning says how many names tell no patient: nothing but identical bytes can keep those pictures together.

    Args:
        folder: its PNEUMONIA pictures are named person<N>_bacteria_<K> or person<N>_virus_<K>; in the folder of a kind any name will do.
        progress: show a progress bar.
        kinds_needed: as in `names.describe`.

    Raises:
        errors.DatasetMissing, errors.NoClassFolders, errors.UnknownKind: each says what was expected and what is there.
    """
    paths = _picture_paths(folder)
    found = [(path, *_described(folder, path, kinds_needed)) for path in paths]
    digests = [
        hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in tqdm(paths, "reading files", unit="file", disable=not progress)
    ]
    groups = group([patient for _, _, patient in found], digests)
    samples = tuple(
        Sample(path=path, sha256=sha256, kind=kind, patient=patient, group=name)
        for (path, kind, patient), sha256, name in zip(found, digests, groups, strict=True)
    )
    if unnamed := sum(not names.tells_patient(sample.patient) for sample in samples):
        _log.warning(
            "%d of %d names tell no patient: each of these pictures counts as a patient of its own, and a patient with several may be on "
            "both sides of a split",
            unnamed,
            len(samples),
        )
    return Dataset(folder=folder, samples=samples, sha256=digest(samples))


def _described(folder: Path, path: str, kinds_needed: bool) -> tuple[str, str]:
    """Do as `names.describe`; what is no readable picture may have any name, since whoever decodes it says so and leaves it out."""
    try:
        return names.describe(path, kinds_needed)
    except errors.UnknownKind:
        if is_readable(folder / path):
            raise
        return names.describe(path, kinds_needed=False)


def is_readable(path: Path) -> bool:
    """Whether a file is a picture that can be read whole: it is decoded to know."""
    try:
        images.decode(path.read_bytes())
    except PictureError:
        return False
    return True


def group(patients: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Merge what must stay together: pictures of one patient, and pictures with one digest, through any chain of the two.

    Args:
        patients: the patient of each picture.
        digests: the sha256 of each picture, in the same order.

    Returns:
        For each picture the name of its group: the smallest patient name in it that a file told, if one did.
    """
    parent = {patient: patient for patient in patients}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first_with: dict[str, str] = {}
    for patient, sha256 in zip(patients, digests, strict=True):
        roots = (root(patient), root(first_with.setdefault(sha256, patient)))
        one, other = sorted(roots, key=lambda name: (not names.tells_patient(name), name))
        parent[other] = one
    return [root(patient) for patient in patients]


class Filed(Protocol):
    """A picture by its path in the data set and the digest of its bytes."""

    @property
    def path(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def sha256(self) -> str: ...  # noqa: D102


def digest(samples: Iterable[Filed]) -> str:
    """Return the sha256 over the sorted (path, file digest) pairs: the identity of a data set, wherever it lies."""
    lines = sorted(f"{sample.path}\t{sample.sha256}\n" for sample in samples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _picture_paths(folder: Path) -> list[str]:
    """Return the files of the class folders, sorted, relative, with forward slashes; hidden files are left out."""
    if not folder.is_dir():
        raise errors.DatasetMissing(f"Expected a folder that holds {_EXPECTED}. Received: {folder}, which is no folder.")
    present = sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    kinds = {child: kind for child in present if (kind := names.kind_of_folder(child.name))}
    if len({kind == names.NORMAL for kind in kinds.values()}) < 2:
        received = ", ".join(child.name for child in present) or "no folder at all"
        raise errors.NoClassFolders(f"Expected {_EXPECTED}, in {folder}. Received: {received}.")
    if others := ", ".join(child.name for child in present if child not in kinds):
        _log.warning("passed over: Expected %s. Received as well: %s.", _EXPECTED, others)
    files = (path for child in kinds for path in child.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files if not path.name.startswith("."))
