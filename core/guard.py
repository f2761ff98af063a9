"""Whether a picture is one that the model was made for: cheap looks at the picture, and how far its embedding lies from the training's.

Called by `core.classifier` for every picture; costs less than half a millisecond. What it needs of the training pictures stands in the
package's `guard.npz`, what it decides by in the manifest; `training.guard` makes both (docs/decisions/0013-the-guard.md).
"""

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core import contract, errors
from core.grey import Grey
from core.images import Picture
from core.manifest import GUARD_FILE, GuardContract

Floats = npt.NDArray[np.float32]
Severity = Literal["warn", "refuse"]

FAR: Final = "far_from_training"
UNUSUAL: Final = "unusual_picture"
BLANK: Final = "blank_picture"
LOW_CONTRAST: Final = "low_contrast"
WHITE: Final = "white_page"
COLOUR: Final = "colour_photograph"
SOME_COLOUR: Final = "some_colour"
SMALL: Final = "small_picture"
ASPECT: Final = "strange_aspect"
SEVERAL: Final = "several_pictures"

REASONS: Final[Mapping[str, tuple[Severity, str]]] = {
    FAR: ("refuse", "it is unlike the frontal chest X-rays that the model knows"),
    UNUSUAL: ("warn", "it is more unusual than nearly all frontal chest X-rays that the model knows"),
    BLANK: ("refuse", "it is all of one grey"),
    LOW_CONTRAST: ("warn", "it has hardly any contrast"),
    WHITE: ("refuse", "most of it is white, as of a page"),
    COLOUR: ("refuse", "it is coloured"),
    SOME_COLOUR: ("warn", "parts of it are coloured"),
    SMALL: ("warn", "it has so few pixels that an opacity may not show"),
    ASPECT: ("warn", "it is much longer than wide, or wider than high"),
    SEVERAL: ("warn", "its halves look like two pictures side by side"),
}
"""Each reason code with what it leads to and a sentence for people; the strongest one is the verdict."""

# Of 5,216 training pictures at 224 x 224 pixels, 98 % of the grey levels span at least 85, and no picture has more than 13 % of white.
_BLANK_BELOW: Final = 12.0  # grey levels
_LOW_CONTRAST_BELOW: Final = 40.0
_WHITE_FROM: Final = 245
_WHITE_SHARE: Final = 0.6
_COLOUR_SHARE, _SOME_COLOUR_SHARE = 0.05, 0.01  # of the area; JPEG's own chroma noise is gone at the size where colour is measured
_SMALL_BELOW_PX: Final = 100
_NARROWEST, _WIDEST = 0.5, 3.5  # width over height; the originals of the training pictures lie between 0.8 and 3.4
_SAMPLED: Final = 96  # pixels a side that are looked at
# One chest has halves that mirror each other; of two side by side each half is like the other as it stands, and mirrored, too. Of the
# training pictures one in 5,216 is above this, of pairs of them 98 in 100 (docs/decisions/0013-the-guard.md).
_ALIKE_FROM: Final = 0.4
_ALIKE_SIDE: Final = 32  # cells a side in which halves are compared: what is finer differs between any two chests
_DECIMALS: Final = 4


class Reference(NamedTuple):
    """What the embeddings of the training pictures have in common: they lie near a plane of few dimensions.

    Attributes:
        mean: float32 array (d,), of the embeddings, each scaled to length 1.
        directions: float32 array (k, d), orthonormal: the plane through the mean.
        spread: root mean square distance of the training pictures from the plane, > 0.
        tilt: float32 array (d,): which way embeddings of what is no upright chest go, weighed so that it counts as much as the plane.
        offset: added, so that training pictures have about 0 of the tilt.
    """

    mean: Floats
    directions: Floats
    spread: float
    tilt: Floats
    offset: float

    def distance(self, embedding: Floats) -> float:
        """Return how far an embedding lies from the plane, in units of `spread`, plus its tilt: about 1 for a training picture.

        The first is the residual of ViM (Wang et al., CVPR 2022), of embeddings of length 1; the second a logistic
        regression against pictures made and drawn for it, as outlier exposure does (Hendrycks et al., ICLR 2019).

        Args:
            embedding: float32 array (d,), the pooled features.
        """
        unit = embedding / max(float(np.linalg.norm(embedding)), 1e-12)
        away = unit - self.mean
        along = self.directions @ away
        residual = math.sqrt(max(0.0, float(away @ away) - float(along @ along))) / self.spread
        return max(0.0, residual + float(unit @ self.tilt) + self.offset)


def read(data: bytes, embedding_size: int | None) -> Reference:
    """Read a package's `guard.npz`; nothing is unpickled.

    Args:
        data: of the file.
        embedding_size: of the network.

    Raises:
        errors.ModelUnavailable: it is no such file, or not one for this network.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found = [np.asarray(arrays[name], dtype=np.float32) for name in Reference._fields]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise errors.ModelUnavailable(f"Expected {GUARD_FILE} with {', '.join(Reference._fields)}. Received: {error}.") from error
    mean, directions, spread, tilt, offset = found
    wanted = ((embedding_size,), (len(directions) if directions.ndim else 0, embedding_size), (), (embedding_size,), ())
    shapes = tuple(array.shape for array in found)
    if shapes != wanted or not all(np.isfinite(array).all() for array in found) or not spread > 0.0:
        raise errors.ModelUnavailable(
            f"Expected finite numbers in {GUARD_FILE} for an embedding of {embedding_size}. Received: shapes {shapes}."
        )
    return Reference(mean, directions, float(spread), tilt, float(offset))


def write(reference: Reference) -> bytes:
    """Return a reference as the bytes of a `guard.npz`: directions as float16, which moves distances by less than a thousandth."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        mean=reference.mean.astype(np.float32),
        directions=reference.directions.astype(np.float16),
        spread=np.float32(reference.spread),
        tilt=reference.tilt.astype(np.float32),
        offset=np.float32(reference.offset),
    )
    return stream.getvalue()


class Guard:
    """The guard of one package; thread-safe."""

    def __init__(self, decides: GuardContract, reference: Reference) -> None:
        self._decides = decides
        self._reference = reference

    def judge(self, picture: Picture, embedding: Floats) -> contract.Guard:
        """Say whether the model was made for this picture.

        Args:
            picture: as decoded.
            embedding: float32 array (d,), the network's.
        """
        distance = self._reference.distance(embedding)
        reasons = [*looks(picture)]
        if distance > self._decides.refuse_distance:
            reasons.insert(0, FAR)
        elif distance > self._decides.warn_distance:
            reasons.insert(0, UNUSUAL)
        severities = {REASONS[reason][0] for reason in reasons}
        return contract.Guard(
            verdict="refuse" if "refuse" in severities else "warn" if severities else "accept",
            distance=round(distance, _DECIMALS),
            warn_distance=self._decides.warn_distance,
            threshold=self._decides.refuse_distance,
            reasons=tuple(reasons),
        )


def looks(picture: Picture) -> list[str]:
    """Return the codes of what a look at the picture itself says against it."""
    found = []
    levels = _sample(picture.grey)
    low, high = np.percentile(levels, (1.0, 99.0), method="nearest")
    if high - low < _BLANK_BELOW:
        found.append(BLANK)
    elif high - low < _LOW_CONTRAST_BELOW:
        found.append(LOW_CONTRAST)
    if np.count_nonzero(levels >= _WHITE_FROM) > _WHITE_SHARE * levels.size:
        found.append(WHITE)
    if picture.coloured_share > _COLOUR_SHARE:
        found.append(COLOUR)
    elif picture.coloured_share > _SOME_COLOUR_SHARE:
        found.append(SOME_COLOUR)
    if min(picture.width_px, picture.height_px) < _SMALL_BELOW_PX:
        found.append(SMALL)
    if not _NARROWEST <= picture.width_px / picture.height_px <= _WIDEST:
        found.append(ASPECT)
    if _halves_alike(levels) > _ALIKE_FROM:
        found.append(SEVERAL)
    return found


def _halves_alike(levels: npt.NDArray[np.float32]) -> float:
    """Return the correlation of the left half with the right one, as it stands or mirrored, whichever is less; in [-1, 1].

    Args:
        levels: float32 array (height, width).
    """
    size = (_ALIKE_SIDE, _ALIKE_SIDE)
    coarse = np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.BOX), dtype=np.float64)
    left, right = coarse[:, : _ALIKE_SIDE // 2], coarse[:, _ALIKE_SIDE // 2 :]
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float((left**2).sum()) * float((right**2).sum()))
    if scale == 0.0:
        return 0.0  # a half of one grey is like nothing
    return min(float((left * right).sum()), float((left * right[:, ::-1]).sum())) / scale


def _sample(grey: Grey) -> npt.NDArray[np.float32]:
    """Return at most about 200 x 200 pixels of the picture, evenly spread: as many as these looks need."""
    height, width = grey.shape
    return grey[:: max(1, height // _SAMPLED), :: max(1, width // _SAMPLED)].astype(np.float32)


def describe(guard: contract.Guard) -> str:
    """Put the reasons of a verdict into words."""
    return "; ".join(REASONS[reason][1] if reason in REASONS else reason for reason in guard.reasons)
