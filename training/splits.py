"""The three-way split by patient: `fit` trains, `tune` chooses (epoch, temperature, thresholds), `test` only reports."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from core.manifest import Manifest
from training import errors
from training.dataset import Dataset, Sample
from training.names import KINDS

PARTS: Final = ("fit", "tune", "test")
SHARES: Final = (0.75, 0.10, 0.15)
"""Fractions of the pictures, in the order of PARTS."""

Split = dict[str, tuple[int, ...]]
"""For each part the positions in `Dataset.samples`, ascending."""


def split(dataset: Dataset, seed: int, shares: Sequence[float] = SHARES) -> Split:
    """Deal whole groups (patients with their identical pictures) to the parts, so that each kind keeps the shares.

    A group is stratified by the kind that most of its pictures have. Groups are dealt in a seeded random order, each to the part that has
    least of its share so far: patients with many pictures come to every part by chance, and none of them tips its part for long.

    Raises:
        errors.TooFewPatients: a kind has fewer groups than there are parts.
    """
    return _dealt(dataset, seed, dict(zip(PARTS, shares, strict=True)), "part of the split")


def of_training(dataset: Dataset, manifest: Manifest, progress: bool = True) -> tuple[Dataset, Split] | None:
    """Return the data set as the training of a package saw it, and how that split it; None where it saw other pictures or tells no seed.

    Args:
        dataset: perhaps with files that cannot be read, which training left out.
        manifest: of the package.
        progress: show a progress bar where files must be read to know.
    """
    seed = manifest.origin.config.get("seed")
    seen = dataset.as_trained(manifest.origin.dataset_sha256, progress)
    if seen.sha256 != manifest.origin.dataset_sha256 or not isinstance(seed, int):
        return None
    return seen, split(seen, seed)


def folds(dataset: Dataset, count: int, seed: int) -> Split:
    """Deal whole groups to `count` folds of the same size, "1" to str(count), as `split` deals them to its parts.

    Raises:
        errors.TooFewPatients: a kind has fewer groups than there are folds.
    """
    return _dealt(dataset, seed, {str(number + 1): 1.0 / count for number in range(count)}, "fold")


def _dealt(dataset: Dataset, seed: int, shares: Mapping[str, float], word: str) -> Split:
    rng = np.random.default_rng(seed)
    members = _members(dataset.samples)
    parts: dict[str, list[int]] = {part: [] for part in shares}
    for kind in KINDS:
        names = [name for name in sorted(members) if _kind_of(dataset.samples, members[name]) == kind]
        if len(names) < len(shares):
            raise errors.TooFewPatients(
                f"Expected at least {len(shares)} patients of kind {kind!r}, one for each {word}. Received: {len(names)}."
            )
        order = [names[position] for position in rng.permutation(len(names))]
        _deal([members[name] for name in order], parts, shares)
    return {part: tuple(sorted(positions)) for part, positions in parts.items()}


def _members(samples: Sequence[Sample]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for position, sample in enumerate(samples):
        members.setdefault(sample.group, []).append(position)
    return members


def _kind_of(samples: Sequence[Sample], positions: Sequence[int]) -> str:
    """Return the kind of most of these pictures; on a tie the first in KINDS."""
    counts = [sum(samples[position].kind == kind for position in positions) for kind in KINDS]
    return KINDS[counts.index(max(counts))]


def _deal(groups: Sequence[list[int]], parts: dict[str, list[int]], shares: Mapping[str, float]) -> None:
    """Deal the groups of one kind. Every part gets a group first, so that none lacks the kind."""
    taken = dict.fromkeys(parts, 0)
    for turn, positions in enumerate(groups):
        left = len(groups) - turn
        empty = [part for part in parts if taken[part] == 0]
        part = min(empty if left <= len(empty) else parts, key=lambda candidate: taken[candidate] / shares[candidate])
        taken[part] += len(positions)
        parts[part].extend(positions)
