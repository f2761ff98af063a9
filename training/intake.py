"""What a retraining learns from: the uploads of the store and the base data set, each picture in the part that it always had.

An upload's part follows from the digest of its bytes, so that what was held out once is held out from every later job. The base data set
is split as the model's first training split it, by patient. Nobody tells whose an upload is: each counts as a patient of its own.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from tqdm import tqdm

from core import images, uploads
from core.errors import PictureError
from core.manifest import InputContract, Label
from core.store import Store
from core.uploads import Counted
from training import dataset, errors, pictures, splits
from training.dataset import Dataset, Sample
from training.names import PNEUMONIA
from training.pictures import Pictures

_log = logging.getLogger(__name__)

SHARES: Final = (0.6, 0.2, 0.2)
"""Of the uploads, in the order of `splits.PARTS`; more to judge by than a large data set needs, since they are few."""


class Intake(NamedTuple):
    """Pictures of uploads and base data set together, their split, and where the base's files lie."""

    pictures: Pictures
    split: splits.Split
    base_sha256: str | None
    uploads: int


def find_uploads(store: Store, labels: Sequence[str]) -> tuple[Counted, ...]:
    """Return the uploads that count, of these labels."""
    known = {uploads.slug(label) for label in labels}
    return tuple(upload for upload in uploads.counted(store) if upload.slug in known)


def part(sha256: str) -> str:
    """Return the part of the split that an upload belongs to, for ever."""
    place = int(sha256[:12], 16) / 16**12
    return splits.PARTS[0] if place < SHARES[0] else splits.PARTS[1] if place < SHARES[0] + SHARES[1] else splits.PARTS[2]


def gather(store: Store, sent: Sequence[Counted], base: Path | None, labels: Sequence[Label], contract: InputContract, seed: int) -> Intake:
    """Read all pictures; those that cannot be read are logged and left out.

    Args:
        store: where the uploads are.
        sent: which of them.
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
    by_slug = {uploads.slug(name): name for name in names}
    for folder, sha256, key in tqdm(sent, "reading uploads", unit="picture", disable=not sent):
        if sha256 in seen:
            continue  # the base data set has it, with its patient
        try:
            picture = images.decode(store.get(key) or b"")
        except PictureError as error:
            _log.warning("%s is left out: %s: %s", key, error.code, error)
            unreadable.append(key)
            continue
        parts[part(sha256)].append(len(samples))
        # Called by its place in the store, as any picture whose name tells no patient (`names.tells_patient`).
        samples.append(Sample(path=key, sha256=sha256, kind=by_slug[folder], patient=key, group=key))
        grey.append(pictures.shrink(picture.grey, contract)[np.newaxis])
    if not samples:
        raise errors.NoPictures("Expected uploads, or PNEUMONIA_BASE_DATASET, to retrain on. Received: neither.")
    unknown = sorted({sample.kind for sample in samples} - set(names))
    if unknown:
        raise errors.UnknownKind(f"Expected pictures of {', '.join(names)}. Received: {', '.join(unknown)} in the base data set.")
    together = Dataset(folder=base or Path(), samples=tuple(samples), sha256=dataset.digest(samples))
    return Intake(
        pictures=pictures.of(together, np.concatenate(grey), names, unreadable),
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
        data = (
            store.get(sample.path)
            if sample.path.startswith(uploads.PREFIX)
            else (intake.pictures.dataset.folder / sample.path).read_bytes()
        )
        label = sample.kind if sample.kind in known else PNEUMONIA
        file = folder / label / str(position) / Path(sample.path).name  # names of the base data set tell the patient
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data or b"")
    return folder
