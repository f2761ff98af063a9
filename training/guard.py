"""Fits a package's guard: what training pictures have in common in the network's embedding, and how far is too far.

Fitted on the patients who taught the network; thresholds from the tune patients, as they are and reframed, so that ordinary variation is
not refused. Called by `training.assembly` for a new package, and by `pneumonia guard` for one that is there
(docs/decisions/0013-the-guard.md).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from core import drift, images
from core.guard import Reference, write
from core.manifest import GuardContract, InputContract, Manifest
from core.network import Network
from training import outliers
from training.augment import Augmentation, vary
from training.kept import NOTHING, Kept
from training.pictures import GreyStack

Floats = npt.NDArray[np.float32]

REFRAMED: Final = Augmentation(area_low=0.36, tight_share=0.0, aspect_high=1.2)
"""How far a chest X-ray may differ in framing, exposure and sharpness from those of training and still be one: tight collimation leaves
60 % of each side."""
CHOSEN: Final = (
    "Distances of the tune patients' pictures, as they are and reframed: 99.5 % of them get no warning; refused is what lies twice as far "
    "from their median as the warning does."
)
UNGUARDED: Final = "A picture that is no frontal chest X-ray gets an answer too, and it means nothing."
GUARDED: Final = (
    "The guard refuses or warns of most pictures that are no frontal chest X-ray, not of all: what passes gets an answer, and of such a "
    "picture it means nothing."
)
GUARDED_FOR_CHILDREN: Final = (
    "The guard refuses or warns of most pictures that are no frontal chest X-ray, not of all, and lets chests of adults pass: what passes "
    "gets an answer, and of such a picture it means nothing."
)
LEAKY: Final = (
    "The guard lets most pictures pass that are made of chests or drawn: what passes gets an answer, and of a picture that is no frontal "
    "chest X-ray it means nothing."
)
_BEFORE: Final = (
    "The guard refuses or warns of most pictures that are no frontal chest X-ray of a child, not of all: one that passes gets an answer, "
    "and it means nothing.",
)
"""What packages made before now say instead of `GUARDED_FOR_CHILDREN`."""
SENTENCES: Final = (UNGUARDED, GUARDED, GUARDED_FOR_CHILDREN, LEAKY, *_BEFORE)
"""Of which a package's limits hold one."""
FEWEST: Final = 30
"""Pictures of tune and held-out patients, each: fewer place no threshold that one in two hundred may pass."""
_SHARES: Final = (("fit", 0.7), ("tune", 0.85), ("test", 1.0))  # cumulative
_DIMENSIONS: Final = 16
_FIT_PICTURES: Final = 2000  # more change nothing, and each takes two passes
_OUTLIERS: Final = (70, 1000)  # at least, at most; a third of the fit pictures in between
_ACCEPTED: Final = 0.995
_SHARPNESS: Final = 10.0  # embeddings of length 1 differ by about 0.5; the regression's penalty is of this size
_PENALTY: Final = 0.3


class Chests(NamedTuple):
    """Chest X-rays at the network's size, uint8 arrays (N, height, width): of patients who fit, choose and only report."""

    fit: GreyStack
    tune: GreyStack
    held_out: GreyStack


class Fitted(NamedTuple):
    """A guard: what it decides by, its `guard.npz`, and what it says of the held-out pictures.

    `probabilities`: float32 array (N, K) of the held-out pictures, before calibration.
    """

    decides: GuardContract
    file: bytes
    metrics: dict[str, Any]
    probabilities: Floats


def fit(network: Network, contract: InputContract, chests: Chests, progress: bool = True, kept: Kept = NOTHING) -> Fitted:
    """Fit a guard to a network that gives an embedding; the same pictures give the same guard.

    Args:
        network: what serves, with as many interpreters as pictures may be in work at once.
        contract: its input.
        chests: none of the three is empty.
        progress: show a progress bar on standard error.
        kept: of this network.
    """
    embed = _embedder(network, contract, progress, kept)
    some = chests.fit[:: max(1, -(-len(chests.fit) // _FIT_PICTURES))]
    count = int(np.clip(len(some) // 3, *_OUTLIERS))
    known, _ = embed([*some, *_reframed(some, 0)])
    other, _ = embed(outliers.make(list(some), count, 0))
    judged, _ = embed([*chests.tune, *_reframed(chests.tune, 1)])
    held_out, probabilities = embed(list(chests.held_out))
    reference = _reference(known, other, judged)
    distances = np.array([reference.distance(one) for one in judged])
    warn, median = float(np.quantile(distances, _ACCEPTED)), float(np.median(distances))
    found = [reference.distance(one) for one in held_out]
    bounds, shares = drift.distance_histogram(found)
    decides = GuardContract(
        warn_distance=round(warn, 4),
        refuse_distance=round(median + 2.0 * (warn - median), 4),
        chosen=CHOSEN,
        distance_bounds=bounds,
        distance_shares=shares,
        pictures=len(found),
    )
    made, _ = embed(outliers.make(list(chests.held_out), min(count, 4 * len(found)), 2))
    return Fitted(decides, write(reference), _measured(decides, found, [reference.distance(one) for one in made]), probabilities)


def deal(groups: Sequence[str]) -> dict[str, list[int]]:
    """Deal pictures that training never split to fit, tune and test, patient by patient, by the digest of the patient's name.

    Args:
        groups: the patient of each picture.
    """
    parts: dict[str, list[int]] = {part: [] for part, _ in _SHARES}
    for row, name in enumerate(groups):
        place = int.from_bytes(sha256(str(name).encode()).digest()[:4]) / 2**32
        parts[next(part for part, until in _SHARES if place < until)].append(row)
    return parts


def guarded(manifest: Manifest, fitted: Fitted) -> Manifest:
    """Return the manifest of a package with this guard."""
    metrics = {**manifest.metrics, "guard": fitted.metrics}
    said = limits(manifest.limits, fitted.metrics, for_children=manifest.for_children)
    return msgspec.structs.replace(manifest, guard=fitted.decides, metrics=metrics, limits=said)


def limits(before: Sequence[str], measured: Mapping[str, Any] | None, *, for_children: bool) -> tuple[str, ...]:
    """Return the limits of a package once it has a guard of which this was measured, or, where it is None, once it has none any more."""
    guarded = GUARDED_FOR_CHILDREN if for_children else GUARDED
    now = UNGUARDED if measured is None else LEAKY if measured["made"]["accepted"] > 0.5 else guarded
    return tuple(dict.fromkeys(now if limit in SENTENCES else limit for limit in before))


def _reframed(greys: GreyStack, seed: int) -> list[npt.NDArray[np.uint8]]:
    return [vary(grey, np.random.default_rng((seed, number)), REFRAMED) for number, grey in enumerate(greys)]


def _embedder(
    network: Network, contract: InputContract, progress: bool, kept: Kept
) -> Callable[[Sequence[npt.NDArray[np.uint8]]], tuple[Floats, Floats]]:
    """Return what asks the network about pictures: embeddings, float32 array (N, d), and probabilities, float32 array (N, K)."""

    def work(data: bytes) -> tuple[bytes, bytes]:
        grey = np.frombuffer(data, np.uint8).reshape(contract.height_px, contract.width_px)
        outputs = network.run(images.preprocess(grey, contract))
        return b"" if outputs.embedding is None else outputs.embedding.tobytes(), outputs.probabilities.tobytes()

    answer = kept.remember("guard", work, tuple[bytes, bytes])

    def embed(greys: Sequence[npt.NDArray[np.uint8]]) -> tuple[Floats, Floats]:
        with ThreadPoolExecutor(network.interpreters) as pool:
            answers = pool.map(lambda grey: answer(np.ascontiguousarray(grey).tobytes()), greys)
            found = list(tqdm(answers, "guard", len(greys), unit="picture", disable=not progress))
        embeddings, probabilities = ([np.frombuffer(one, np.float32) for one in column if one] for column in zip(*found, strict=True))
        return np.stack(embeddings), np.stack(probabilities)

    return embed


def _reference(known: Floats, other: Floats, judged: Floats) -> Reference:
    """Return the plane of the known pictures, and the tilt against the others, weighed to vary as much among those that choose."""
    from sklearn.linear_model import LogisticRegression

    inside, outside, choosing = (_unit(one) for one in (known, other, judged))
    mean = inside.mean(axis=0)
    values, vectors = np.linalg.eigh((inside - mean).T @ (inside - mean) / len(inside))
    dimensions = min(_DIMENSIONS, len(mean) // 2, len(inside) // 2)
    directions = np.ascontiguousarray(vectors[:, ::-1].T[:dimensions], dtype=np.float32)
    spread = float(np.sqrt(max(float(values[: len(mean) - dimensions].sum()), 1e-12)))
    plane = Reference(mean.astype(np.float32), directions, spread, np.zeros(len(mean), np.float32), 0.0)
    truth = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    model = LogisticRegression(C=_PENALTY, max_iter=500, class_weight="balanced")
    model.fit((np.concatenate([inside, outside]) - mean) * _SHARPNESS, truth)
    tilt = model.coef_[0] * _SHARPNESS
    leaning, residual = choosing @ tilt, np.array([plane.distance(one) for one in judged])
    scale = float(residual.std() / max(float(leaning.std()), 1e-12))
    return plane._replace(tilt=(tilt * scale).astype(np.float32), offset=-float(leaning.mean()) * scale)


def _unit(embeddings: Floats) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings.astype(np.float64) / np.maximum(lengths, 1e-12))


def _measured(decides: GuardContract, held_out: Sequence[float], made: Sequence[float]) -> dict[str, Any]:
    """Return what the distance alone says of held-out chests, and of what was made of them and drawn."""

    def shares(distances: Sequence[float]) -> dict[str, float]:
        refused = float(np.mean(np.array(distances) > decides.refuse_distance))
        warned = float(np.mean(np.array(distances) > decides.warn_distance)) - refused
        return {"accepted": round(1.0 - warned - refused, 4), "warned": round(warned, 4), "refused": round(refused, 4)}

    return {
        "pictures": len(held_out),
        **shares(held_out),
        "made": {"pictures": len(made), **shares(made)},
    }
