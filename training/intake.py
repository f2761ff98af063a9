"""What a retraining learns from: the uploads of the store and the base data set, each picture in the part that it always had.

An upload's part follows from the digest of its bytes, so that what was held out once is held out from every later job. The base data set
is split as the model's first training split it, by patient. Nobody tells whose an upload is: each counts as a patient of its own.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from tqdm import tqdm

from core import images
from core.errors import PictureError
from core.manifest import InputContract, Label
from core.store import Store
from training import dataset, errors, pictures, splits
from training.dataset import Dataset, Sample
from training.pictures import Pictures

_log = logging.getLogger(__name__)

UPLOADS: Final = "uploads/"
SHARES: Final = (0.6, 0.2, 0.2)
"""Of the uploads, in the order of `splits.PARTS`; more to judge by than a large data set needs, since they are few."""
_NAME: Final = re.compile(r"uploads/([a-z0-9-]+)/([0-9a-f]{64})\.([A-Za-z0-9]+)")


class Uploads(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the pictures that a job learns from, as they were when it began."""

    keys: tuple[str, ...]


class Intake(NamedTuple):
    """Pictures of uploads and base data set together, their split, and where the base's files lie."""

    pictures: Pictures
    split: splits.Split
    base_sha256: str | None
    uploads: int


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Of what is written beside an upload, when it came."""

    at: str | float = ""


def slug(label: str) -> str:
    """Return a label as it stands in a key."""
    return re.sub("[^a-z0-9]+", "-", label.lower()).strip("-")


def find_uploads(store: Store, labels: Sequence[Label]) -> Uploads:
    """Return the uploads that count, their note being there, of labels that the model will know.

    A picture that was sent under two labels has the one that came last.
    """
    known = {slug(label.name) for label in labels}
    keys = set(store.keys(UPLOADS))
    chosen: dict[str, tuple[str, str]] = {}
    for key in sorted(keys):
        found = _NAME.fullmatch(key)
        if found is None or found[3] == "json" or found[1] not in known or (note := f"{UPLOADS}{found[1]}/{found[2]}.json") not in keys:
            continue
        at = str(msgspec.json.decode(store.get(note) or b"{}", type=_Noted).at)
        if found[2] not in chosen or chosen[found[2]][0] <= at:
            chosen[found[2]] = (at, key)
    return Uploads(keys=tuple(sorted(key for _, key in chosen.values())))


def part(sha256: str) -> str:
    """Return the part of the split that an upload belongs to, for ever."""
    place = int(sha256[:12], 16) / 16**12
    return splits.PARTS[0] if place < SHARES[0] else splits.PARTS[1] if place < SHARES[0] + SHARES[1] else splits.PARTS[2]


def gather(store: Store, uploads: Uploads, base: Path | None, labels: Sequence[Label], contract: InputContract, seed: int) -> Intake:
    """Read all pictures; those that cannot be read are logged and left out.

    Args:
        store: where the uploads are.
        uploads: which of them.
        base: folder of the base data set.
        labels: in the order of the network's outputs.
        contract: the network's input.
        seed: of the base data set's split.

    Raises:
        errors.TrainingError: the base data set cannot be used.
        core.errors.StoreUnavailable: the store does not answer.
    """
    names = [label.name for label in labels]
    known = pictures.load(dataset.index(base, progress=False), contract) if base else None
    split = splits.split(known.dataset, seed) if known else {}
    samples = list(known.dataset.samples) if known else []
    grey = [known.grey] if known else []
    parts: dict[str, list[int]] = {name: list(split.get(name, ())) for name in splits.PARTS}
    unreadable = list(known.unreadable) if known else []
    seen = {sample.sha256 for sample in samples}
    by_slug = {slug(name): name for name in names}
    for key in tqdm(uploads.keys, "reading uploads", unit="picture", disable=not uploads.keys):
        folder, sha256 = _parts(key)
        if sha256 in seen:
            continue  # the base data set has it, with its patient
        try:
            picture = images.decode(store.get(key) or b"")
        except PictureError as error:
            _log.warning("%s is left out: %s: %s", key, error.code, error)
            unreadable.append(key)
            continue
        parts[part(sha256)].append(len(samples))
        samples.append(Sample(path=key, sha256=sha256, kind=by_slug[folder], patient=sha256, group=sha256))
        grey.append(pictures.shrink(picture.grey, contract)[np.newaxis])
    if not samples:
        raise errors.NoPictures("Expected uploads, or PNEUMONIA_BASE_DATASET, to retrain on. Received: neither.")
    unknown = sorted({sample.kind for sample in samples} - set(names))
    if unknown:
        raise errors.UnknownKind(f"Expected pictures of {', '.join(names)}. Received: {', '.join(unknown)} in the base data set.")
    together = Dataset(folder=base or Path(), samples=tuple(samples), sha256=dataset.digest(samples))
    return Intake(
        pictures=Pictures(
            dataset=together,
            grey=np.concatenate(grey),
            labels=np.asarray([names.index(sample.kind) for sample in samples], dtype=np.int64),
            groups=np.asarray([sample.group for sample in samples], dtype=np.str_),
            unreadable=tuple(unreadable),
        ),
        split={name: tuple(positions) for name, positions in parts.items()},
        base_sha256=known.dataset.sha256 if known else None,
        uploads=len(samples) - (len(known.dataset.samples) if known else 0),
    )


def lay_out(store: Store, intake: Intake, folder: Path, known: Sequence[str]) -> Path:
    """Write the held-out pictures as a data set of a folder a label, for `training.evaluate`; return the folder.

    Args:
        store: where the uploads are.
        intake: what was gathered.
        folder: to write to.
        known: labels of the model that is evaluated; what it has no name for is pneumonia of some kind.
    """
    for position in intake.split["test"]:
        sample = intake.pictures.dataset.samples[position]
        data = store.get(sample.path) if _NAME.fullmatch(sample.path) else (intake.pictures.dataset.folder / sample.path).read_bytes()
        label = sample.kind if sample.kind in known else dataset.PNEUMONIA
        file = folder / label / str(position) / Path(sample.path).name  # names of the base data set tell the patient
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data or b"")
    return folder


def _parts(key: str) -> tuple[str, str]:
    """Return the folder and the digest of an upload's key."""
    _, folder, name = key.split("/")
    return folder, name.partition(".")[0]
