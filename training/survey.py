"""Every picture of a data set measured once: what `pneumonia explore` counts, compares and draws from.

Pictures are decoded in threads and let go at once; what stays of each is a row of figures, a histogram and a thumbnail (5 kB together), so
that a large archive fits into memory. A file that cannot be read is a finding, not a failure.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from core import images
from core.errors import PictureError
from training import dataset, folders, looks
from training.folders import Part
from training.kept import NOTHING, Kept
from training.looks import Looks
from training.pictures import GreyStack

THUMBNAIL_PX: Final = 64
LEVELS: Final = 64
"""Bins of a brightness histogram: four grey levels each."""


class Picture(Looks, frozen=True, kw_only=True):
    """One picture: where it lies, whose it is, and how it looks. `label` is its class folder's name in capitals."""

    part: str
    path: str
    label: str
    kind: str
    patient: str
    named: bool
    """Whether the file's name tells the patient; else the picture counts as a patient of its own."""
    sha256: str
    format: str


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a class folder that is no picture we can read, with the stable code of why."""

    part: str
    path: str
    code: str
    reason: str


class Survey(NamedTuple):
    """The readable pictures, sorted by part and path; row i of the arrays is `pictures[i]`.

    `thumbnails`: uint8 array (N, THUMBNAIL_PX, THUMBNAIL_PX), values in [0, 255]. `histograms`: uint16 array (N, LEVELS), pixels a bin.
    """

    parts: tuple[Part, ...]
    pictures: tuple[Picture, ...]
    unreadable: tuple[Unreadable, ...]
    thumbnails: GreyStack
    histograms: npt.NDArray[np.uint16]

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return one figure of all pictures: float64 array (N,)."""
        return np.asarray([getattr(picture, name) for picture in self.pictures], dtype=np.float64)

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The class of each picture: array of str (N,)."""
        return np.asarray([picture.label for picture in self.pictures], dtype=np.str_)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """What must stay together, patients with their identical pictures: array of str (N,)."""
        patients = [picture.patient for picture in self.pictures]
        return np.asarray(dataset.group(patients, [picture.sha256 for picture in self.pictures]), dtype=np.str_)


class _Content(NamedTuple):
    """What of a measurement hangs on the file's bytes alone; of the arrays the bytes."""

    format: str
    looks: Looks
    thumbnail: bytes
    histogram: bytes


class _Measured(NamedTuple):
    picture: Picture
    thumbnail: GreyStack
    histogram: npt.NDArray[np.uint16]


def measure(parts: Sequence[Part], workers: int, progress: bool = True, kept: Kept = NOTHING) -> Survey:
    """Decode and measure every file of the parts.

    Args:
        parts: as `folders.find` returns them.
        workers: threads; each holds one decoded picture at a time. Decoding lets go of Python's lock.
        progress: show a progress bar.
        kept: of such measurements.
    """
    content = kept.remember("looks", _look, _Content)
    files = [(part, path) for part in parts for path in part.paths]
    executor = ThreadPoolExecutor(workers, "survey")
    try:
        found = list(
            tqdm(executor.map(lambda file: _measure(content, *file), files), "measuring", len(files), unit="picture", disable=not progress)
        )
    finally:
        executor.shutdown(cancel_futures=True)  # Ctrl+C need not wait for thousands of pictures
    rows = [row for row in found if isinstance(row, _Measured)]
    side = THUMBNAIL_PX
    return Survey(
        parts=tuple(parts),
        pictures=tuple(row.picture for row in rows),
        unreadable=tuple(row for row in found if isinstance(row, Unreadable)),
        thumbnails=np.stack([row.thumbnail for row in rows]) if rows else np.zeros((0, side, side), np.uint8),
        histograms=np.stack([row.histogram for row in rows]) if rows else np.zeros((0, LEVELS), np.uint16),
    )


def preview(path: Path, side_px: int) -> GreyStack:
    """Read one picture again, to be looked at: uint8 array with its longer side `side_px` or less, its aspect kept.

    Raises:
        OSError: it cannot be opened any more.
        core.errors.PictureError: it is no picture any more.
    """
    image = Image.fromarray(images.decode(path.read_bytes()).grey).convert("L")
    image.thumbnail((side_px, side_px))
    return np.asarray(image)


def _measure(content: Callable[[bytes], _Content], part: Part, path: str) -> _Measured | Unreadable:
    try:
        data = (part.folder / path).read_bytes()
        found = content(data)
    except PictureError as error:
        return Unreadable(part=part.name, path=path, code=error.code, reason=str(error))
    except OSError as error:
        reason = f"Expected a readable file. Received: {error.strerror}."
        return Unreadable(part=part.name, path=path, code="unreadable_file", reason=reason)
    label, kind, patient, named = folders.describe(path)
    picture = Picture(
        part=part.name,
        path=path,
        label=label,
        kind=kind,
        patient=patient,
        named=named,
        sha256=hashlib.sha256(data).hexdigest(),
        format=found.format,
        **msgspec.structs.asdict(found.looks),
    )
    thumbnail = np.frombuffer(found.thumbnail, np.uint8).reshape(THUMBNAIL_PX, THUMBNAIL_PX)
    return _Measured(picture, thumbnail, np.frombuffer(found.histogram, np.uint16))


def _look(data: bytes) -> _Content:
    decoded = images.decode(data)
    grey = looks.compared(decoded.grey)
    histogram = np.bincount((grey // (256 // LEVELS)).ravel(), minlength=LEVELS).astype(np.uint16)
    thumbnail = Image.fromarray(grey).resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX)
    return _Content(decoded.format, looks.look(decoded, grey, len(data)), thumbnail.tobytes(), histogram.tobytes())
