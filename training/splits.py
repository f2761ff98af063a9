"""The three-way split by patient: `fit` trains, `tune` chooses (epoch, temperature, thresholds), `test` only reports."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from training import errors
from training.dataset import KINDS, Dataset, Sample

PARTS: Final = ("fit", "tune", "test")
SHARES: Final = (0.75, 0.10, 0.15)
"""Fractions of the pictures, in the order of PARTS."""

Split = dict[str, tuple[int, ...]]
"""For each of PARTS the positions in `Dataset.samples`, ascending."""


def split(dataset: Dataset, seed: int, shares: Sequence[float] = SHARES) -> Split:
    """Deal whole groups (patients with their identical pictures) to the parts, so that each kind keeps the shares.

    A group is stratified by the kind that most of its pictures have. Groups are dealt in a seeded random order, each to the part that has
    least of its share so far: patients with many pictures come to every part by chance, and none of them tips its part for long.

    Raises:
        errors.TooFewPatients: a kind has fewer groups than there are parts.
    """
    rng = np.random.default_rng(seed)
    members = _members(dataset.samples)
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for kind in KINDS:
        names = [name for name in sorted(members) if _kind_of(dataset.samples, members[name]) == kind]
        if len(names) < len(PARTS):
            raise errors.TooFewPatients(
                f"Expected at least {len(PARTS)} patients of kind {kind!r}, one for each part of the split. Received: {len(names)}."
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


def _deal(groups: Sequence[list[int]], parts: dict[str, list[int]], shares: Sequence[float]) -> None:
    """Deal the groups of one kind. Every part gets a group first, so that none lacks the kind."""
    taken = [0] * len(PARTS)
    for turn, positions in enumerate(groups):
        left = len(groups) - turn
        empty = [part for part in range(len(PARTS)) if taken[part] == 0]
        choices = empty if left <= len(empty) else range(len(PARTS))
        part = min(choices, key=lambda candidate: taken[candidate] / shares[candidate])
        taken[part] += len(positions)
        parts[PARTS[part]].extend(positions)
