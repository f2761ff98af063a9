"""Pictures that are there twice: byte-identical files, and near-identical ones (stored again, resized, brightened).

Near-identical pictures are found by a perceptual hash and confirmed by their pixels, since chests resemble each other: among the public
train pictures 1,300 pairs have hashes as near as that, and their pixels agree for none but the byte-identical. The limits come from there:
copies stored as JPEG of quality 30, at half the size, or with contrast x 0.7 differ by 0.01 to 0.06; the two most alike of different
patients by 0.25. Crops, rotations, mirrored copies and another gamma are not found; drawn phantoms, more alike than children, are.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image

from training import wording
from training.pictures import GreyStack
from training.survey import Picture, Survey

HASH_SIDE: Final = 16
MOST_BITS: Final = 24
"""Most bits, of 256, in which the hashes of a pair may differ."""
MOST_DIFFERENCE: Final = 0.10
"""Largest root mean square difference of two thumbnails brought to mean 0 and standard deviation 1."""
_ROWS: Final = 256  # hashes compared with all others at once: 40 MB for 20,000 pictures

IDENTICAL: Final = "identical"
NEAR: Final = "near-identical"


class DuplicateSet(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures that are one. `difference` is the largest among its confirmed pairs, 0 for identical files."""

    sort: str
    difference: float
    files: tuple[str, ...]
    """Part and path of each, as "train/NORMAL/IM-0115-0001.jpeg"."""
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    patients: tuple[str, ...]
    parts: tuple[str, ...]
    """Distinct values, sorted: more than one is a contradiction, a hidden patient, or a leak."""


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """All sets of a survey; those of identical files stand apart from those that need a look."""

    identical: tuple[DuplicateSet, ...]
    near: tuple[DuplicateSet, ...]


def find(survey: Survey) -> Duplicates:
    """Return the sets of identical files, and the sets that near-identity joins beyond them."""
    pictures = survey.pictures
    of_digest: dict[str, list[int]] = {}
    for position, picture in enumerate(pictures):
        of_digest.setdefault(picture.sha256, []).append(position)
    identical = [rows for rows in of_digest.values() if len(rows) > 1]
    # One file of each identical set stands for all of them, else every pair of copies would be reported twice.
    first = np.asarray([rows[0] for rows in of_digest.values()], dtype=np.int64)
    pairs = [(int(first[one]), int(first[other]), difference) for one, other, difference in near_pairs(survey.thumbnails[first])]
    joined = _join(pairs)
    near = [[copy for row in rows for copy in of_digest[pictures[row].sha256]] for rows in joined]
    largest = [max(difference for one, _, difference in pairs if one in rows) for rows in joined]
    return Duplicates(
        identical=tuple(_describe(IDENTICAL, 0.0, [pictures[row] for row in rows]) for rows in identical),
        near=tuple(_describe(NEAR, round(value, 3), [pictures[row] for row in rows]) for rows, value in zip(near, largest, strict=True)),
    )


def interpret(found: Duplicates) -> list[str]:
    """Say how many pictures are there twice, and which of them contradict each other."""
    sets = (*found.identical, *found.near)
    if not sets:
        return ["No two pictures are identical or near-identical: each is there once."]
    spare = wording.count(sum(len(one.files) - 1 for one in found.identical), "file")
    sentences = [
        f"{wording.count(len(found.identical), 'set').capitalize()} of byte-identical files, {spare} more than needed."
        if found.identical
        else "No two files are byte-identical.",
        f"{wording.count(len(found.near), 'set').capitalize()} of near-identical pictures that are not the same file."
        if found.near
        else "Beyond them no pictures are near-identical.",
    ]
    across = sum(len(one.patients) > 1 for one in sets)
    sentences.append(
        f"{across} of the {wording.count(len(sets), 'set')} {wording.verb(across, 'spans', 'span')} several patients, as far as "
        "names tell: keep each on one side of a split."
        if across
        else "All of them stay within one patient by name, so that a split by patient keeps them together."
    )
    labels, kinds = (sum(len(getattr(one, field)) > 1 for one in sets) for field in ("labels", "kinds"))
    if kinds:
        sentences.append(
            f"{kinds} {wording.verb(kinds, 'has', 'have')} more than one kind, {labels} of them more than one class: a label is wrong."
        )
    return sentences


def near_pairs(thumbnails: GreyStack) -> list[tuple[int, int, float]]:
    """Return (position, later position, difference) of the near-identical pairs of thumbnails, uint8 array (N, height, width)."""
    hashes = np.stack([difference_hash(thumbnail) for thumbnail in thumbnails]) if len(thumbnails) else np.zeros((0, 4), np.uint64)
    found = []
    for start in range(0, len(hashes), _ROWS):
        block = hashes[start : start + _ROWS]
        bits = np.zeros((len(block), len(hashes) - start), np.uint16)
        for word in range(hashes.shape[1]):
            bits += np.bitwise_count(block[:, word, np.newaxis] ^ hashes[np.newaxis, start:, word])
        for one, other in np.argwhere(bits <= MOST_BITS):
            if other > one:
                difference = compare(thumbnails[start + one], thumbnails[start + other])
                if difference <= MOST_DIFFERENCE:
                    found.append((int(start + one), int(start + other), difference))
    return found


def difference_hash(thumbnail: GreyStack) -> npt.NDArray[np.uint64]:
    """Return where a picture gets brighter from left to right on a grid of 16 x 16: 256 bits as uint64 array (4,)."""
    cells = Image.fromarray(thumbnail).resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    levels = np.asarray(cells, dtype=np.int16)
    return np.packbits(levels[:, 1:] > levels[:, :-1]).view(np.uint64)


def compare(one: GreyStack, other: GreyStack) -> float:
    """Return the root mean square difference of two pictures, each brought to mean 0 and standard deviation 1; 0 is the same."""
    first, second = _standardise(one), _standardise(other)
    return float(np.sqrt(np.mean((first - second) ** 2)))


def _standardise(thumbnail: GreyStack) -> npt.NDArray[np.float64]:
    levels = thumbnail.astype(np.float64)
    return np.asarray((levels - levels.mean()) / max(float(levels.std()), 1e-6), dtype=np.float64)


def _join(pairs: Iterable[tuple[int, int, float]]) -> list[list[int]]:
    """Merge pairs that share a picture into sets, sorted."""
    of: dict[int, set[int]] = {}
    for one, other, _ in pairs:
        union = of.get(one, {one}) | of.get(other, {other})
        of.update(dict.fromkeys(union, union))
    return sorted(sorted(rows) for rows in {id(rows): rows for rows in of.values()}.values())


def _describe(sort: str, difference: float, pictures: Sequence[Picture]) -> DuplicateSet:
    def distinct(field: str) -> tuple[str, ...]:
        return tuple(sorted({getattr(picture, field) for picture in pictures}))

    files = tuple(f"{picture.part}/{picture.path}" for picture in pictures)
    return DuplicateSet(
        sort=sort,
        difference=difference,
        files=files,
        labels=distinct("label"),
        kinds=distinct("kind"),
        patients=distinct("patient"),
        parts=distinct("part"),
    )
