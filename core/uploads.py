"""Labelled pictures in the store: what `POST /upload-data` writes, and what retraining reads.

    uploads/<label>/<sha256>.<ext>      the bytes as they came, of DICOM the picture alone; sending twice stores once
    uploads/<label>/<sha256>.json       what is known of them, written last: a picture counts when this is there

<label> is the label as `slug` writes it.
"""

import hashlib
import io
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
import numpy as np
from PIL import Image

from core import contract, dicom_errors, errors, guard
from core.bodies import Pictures
from core.classifier import Classifier
from core.dicom_file import is_dicom
from core.images import Picture
from core.living import ConflictingPicture, DuplicatePicture, RefusedPicture, StoredPicture, UploadedPicture
from core.metrics import Metrics
from core.radiograph import BURNED_IN
from core.settings import Settings
from core.store import Store

PREFIX: Final = "uploads/"
EXTENSIONS: Final[Mapping[str, str]] = {"jpeg": "jpeg", "png": "png", "bmp": "bmp", "tiff": "tiff", "webp": "webp", "dicom": "png"}
"""By the format that `core.images.decode` found, whatever the file was called."""
_RECORD: Final = re.compile(rf"{PREFIX}([^/]+)/([0-9a-f]{{64}})\.json")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows of an uploaded picture: no file name, nothing of the patient."""

    sha256: str
    label: str
    format: str
    width_px: int
    height_px: int
    size_bytes: int
    stored_at: str
    request_id: str
    guard: str = "unchecked"
    guard_reasons: tuple[str, ...] = ()


class Kept(NamedTuple):
    """What of a picture goes into the store, and the digest that it goes by."""

    data: bytes
    sha256: str


class Counted(NamedTuple):
    """An uploaded picture that counts: its folder's name, its digest and where its bytes are."""

    slug: str
    sha256: str
    key: str


def slug(label: str) -> str:
    """Return a label as the name of a folder: small letters, digits and hyphens; the one place where this is decided.

    A label in another script gets the beginning of its digest behind it, since its letters cannot be kept.
    """
    words = "-".join(re.findall(r"[a-z0-9]+", label.lower()))
    return words if label.isascii() and words else f"{words}-{hashlib.sha256(label.encode()).hexdigest()[:12]}".lstrip("-")


def find_label(given: str | None, labels: Iterable[str]) -> str:
    """Return the label that a caller means by its name, in small letters or capitals, or by its slug; the first of several.

    Raises:
        errors.UnknownLabel: it is none of them, or missing.
    """
    known = tuple(labels)
    wanted = (given or "").strip().lower()
    found = next((label for label in known if wanted in (label.lower(), slug(label))), None)
    if found is None:
        received = f"{given[:64]!r}" if given else "none"
        raise errors.UnknownLabel(f"Invalid `label`: Expected one of {', '.join(known)}. Received: {received}.")
    return found


class Uploads:
    """Takes labelled pictures in for one process; thread-safe."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        # Pictures are the largest things in memory: no more are decoded at once than the settings allow.
        self._slots = threading.BoundedSemaphore(settings.interpreters)

    def take(
        self, store: Store, pictures: Pictures, label: str, request_id: str, classifier: Classifier, advise: bool = False
    ) -> tuple[UploadedPicture, ...]:
        """Store the pictures of one request under a label; durable when this returns.

        One that cannot be stored does not spoil the others, and all share one allowance of pixels.

        Args:
            store: where to.
            pictures: what came; a picture that came alone is refused by raising, as `POST /predict` does.
            label: the label's name.
            request_id: goes into the records.
            classifier: reads the pictures, and its guard refuses what it was not made for.
            advise: store also what the guard refuses.

        Raises:
            errors.PictureError: the only picture cannot be read.
            errors.LabelConflict: the only picture is stored under another label.
            errors.StoreUnavailable: the store does not answer. Nothing is acknowledged; what was stored is a duplicate the next time.
        """
        slugs = store.children(PREFIX)
        pixels_left = self._settings.max_request_pixels
        outcomes: list[UploadedPicture] = []
        for data in pictures.items:
            try:
                with self._slots:
                    picture, judged = classifier.judge(data, min(self._settings.max_pixels, pixels_left), whole=is_dicom(data))
                    kept = _stripped(picture) if picture.format == "dicom" else Kept(data, hashlib.sha256(data).hexdigest())
                pixels_left -= picture.width_px * picture.height_px
                if judged.verdict == "refuse" and not advise:
                    self._metrics.count_rejection(judged)
                    raise errors.PictureRejected(
                        f"Expected a frontal chest X-ray such as the model knows. Received: a picture, but {guard.describe(judged)}."
                    )
                outcomes.append(_keep(store, kept, picture, judged, label, request_id, slugs))
            except errors.PictureError as error:
                outcomes.append(RefusedPicture(code=error.code, detail=str(error)))
                if not pictures.several:
                    self._metrics.count_upload(outcome_of(outcomes[-1]))
                    raise
            self._metrics.count_upload(outcome_of(outcomes[-1]))
            if isinstance(outcomes[-1], ConflictingPicture) and not pictures.several:
                raise errors.LabelConflict(outcomes[-1].detail)
            if isinstance(outcomes[-1], ConflictingPicture | RefusedPicture):
                self._metrics.count_error(outcomes[-1].code)
        return tuple(outcomes)


def outcome_of(picture: UploadedPicture) -> str:
    """Return stored, duplicate, refused or conflict."""
    return str(picture.__struct_config__.tag)


def _stripped(picture: Picture) -> Kept:
    """Return a DICOM picture without its header: PNG of 8 bits, at full size, as a viewer would show it.

    The digest is that of the pixels: the same picture with another header, or packed by another zlib, is the same upload.

    Raises:
        dicom_errors.BurnedInAnnotation: the header says that there is text in the pixels, which would be kept with them.
    """
    if BURNED_IN in picture.warnings:
        raise dicom_errors.BurnedInAnnotation("Expected a picture without text in it, to be stored. Received: burned-in annotation.")
    grey = np.rint(picture.grey).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    return Kept(stream.getvalue(), hashlib.sha256(f"{grey.shape}".encode() + grey.tobytes()).hexdigest())


def _keep(
    store: Store, kept: Kept, picture: Picture, judged: contract.Guard, label: str, request_id: str, slugs: Iterable[str]
) -> UploadedPicture:
    """Store a picture unless the store has it, under this label or another. The record comes last: with it the picture counts.

    Two requests that bring the same new bytes under two labels at the same moment may both succeed: `counted` then leaves both out.
    """
    own, (data, sha256) = slug(label), kept
    for other in slugs:
        there = store.get(_record_key(other, sha256)) if other != own else None
        if there is not None:
            stored_label = msgspec.json.decode(there, type=Record).label
            detail = f"Expected bytes without a label, or with this one. Received: bytes that are stored as {stored_label}."
            return ConflictingPicture(sha256=sha256, stored_label=stored_label, code=errors.LabelConflict.code, detail=detail)
    record = Record(
        sha256=sha256,
        label=label,
        format=picture.format,
        width_px=picture.width_px,
        height_px=picture.height_px,
        size_bytes=len(data),
        stored_at=datetime.now(UTC).isoformat(timespec="seconds"),
        request_id=request_id,
        guard=judged.verdict,
        guard_reasons=judged.reasons,
    )
    store.create(f"{PREFIX}{own}/{sha256}.{EXTENSIONS[picture.format]}", data)
    new = store.create(_record_key(own, sha256), msgspec.json.encode(record))
    kind = StoredPicture if new else DuplicatePicture
    return kind(sha256=sha256, format=picture.format, width_px=picture.width_px, height_px=picture.height_px, guard=judged)


def counted(store: Store) -> Iterator[Counted]:
    """Yield the pictures that count, in the order of their labels and digests.

    Bytes under several labels are left out: which label is right cannot be told.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    keys = sorted(store.keys(PREFIX))
    records = {match.groups() for match in map(_RECORD.fullmatch, keys) if match}
    labels = Counter(sha256 for _, sha256 in records)
    for key in keys:
        folder, name = key.removeprefix(PREFIX).split("/", 1) if key.count("/") == 2 else ("", "")
        sha256, _, extension = name.partition(".")
        if extension != "json" and (folder, sha256) in records and labels[sha256] == 1:
            yield Counted(folder, sha256, key)


def _record_key(folder: str, sha256: str) -> str:
    return f"{PREFIX}{folder}/{sha256}.json"
