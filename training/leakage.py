"""What two parts of a data set share, and what a split by picture would leak where there is one part only."""

from collections import Counter
from itertools import combinations
from typing import Final

import msgspec

from training import wording
from training.duplicates import Duplicates, DuplicateSet
from training.survey import Survey

TEST_SHARE: Final = 0.2
"""Of the pictures, in the split by picture that is imagined."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What two parts have in common; the pictures are those of the second part."""

    one: str
    other: str
    patients: tuple[str, ...]
    patient_pictures: int
    identical_pictures: int
    near_pictures: int

    @property
    def nothing(self) -> bool:
        """Whether the parts are apart as far as names and pixels tell."""
        return not (self.patients or self.identical_pictures or self.near_pictures)


class Leakage(msgspec.Struct, frozen=True, kw_only=True):
    """`by_picture`: share of the test pictures of a random split whose patient also has pictures in train; None without any picture."""

    shared: tuple[Shared, ...]
    by_picture: float | None


def find(survey: Survey, duplicates: Duplicates) -> Leakage:
    """Compare every two parts, and work out what a random split by picture would leak.

    A patient is known by name: two children of two hospitals may share one.
    """
    # A name that tells no patient is a number of its own: the same in two parts means nothing.
    patients = {
        part.name: Counter(picture.patient for picture in survey.pictures if picture.part == part.name and picture.named)
        for part in survey.parts
    }
    shared = []
    for one, other in combinations(patients, 2):
        both = sorted(patients[one].keys() & patients[other].keys())
        shared.append(
            Shared(
                one=one,
                other=other,
                patients=tuple(both),
                patient_pictures=sum(patients[other][patient] for patient in both),
                identical_pictures=_in_both(duplicates.identical, one, other),
                near_pictures=_in_both(duplicates.near, one, other),
            )
        )
    return Leakage(shared=tuple(shared), by_picture=_by_picture(survey))


def interpret(found: Leakage) -> list[str]:
    """Say what the parts share, or what a split by picture would leak."""
    sentences = [_of_pair(pair) for pair in found.shared]
    if not found.shared and found.by_picture is not None:
        sentences.append("There is one part only, so nothing leaks yet.")
        left = wording.share(found.by_picture)
        drawn = f"Were {TEST_SHARE * 100:.0f} % of the pictures drawn at random for a test, {left} of them would leave"
        sentences.append(
            f"{drawn} a picture of the same patient, or an identical one, in train: split by patient."
            if found.by_picture > 0.0
            else "As far as names tell every patient has one picture, and no two are identical: a split by picture is a split by patient."
        )
    return sentences


def _of_pair(pair: Shared) -> str:
    if pair.nothing:
        return f"{pair.one} and {pair.other} share no patient by name and no picture."
    shares = []
    if pair.patients:
        patients, pictures = wording.count(len(pair.patients), "patient"), wording.count(pair.patient_pictures, "picture")
        shares.append(f"{patients} by name (with {pictures} in {pair.other})")
    if pair.identical_pictures:
        shares.append(wording.count(pair.identical_pictures, "identical picture"))
    if pair.near_pictures:
        shares.append(wording.count(pair.near_pictures, "near-identical picture"))
    leak = f"{pair.one} and {pair.other} leak. They share {wording.listing(shares)}"
    return f"{leak}: what is measured on one after training on the other flatters."


def _in_both(sets: tuple[DuplicateSet, ...], one: str, other: str) -> int:
    return sum(file.startswith(f"{other}/") for found in sets if {one, other} <= set(found.parts) for file in found.files)


def _by_picture(survey: Survey) -> float | None:
    """A test picture of a patient with n pictures has none of the others in train with probability TEST_SHARE ** (n - 1)."""
    counts = Counter(survey.groups.tolist())
    pictures = len(survey.pictures)
    return sum(count * (1.0 - TEST_SHARE ** (count - 1)) for count in counts.values()) / pictures if pictures else None
