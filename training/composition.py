"""How many pictures there are of what and of whom: classes, kinds and patients of each part."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from training import names, splits, wording
from training.survey import Survey

BALANCED: Final = 1.5
"""How many times as frequent a class may be before accuracy needs a word of warning."""
_SHIFT: Final = 0.05  # of a class's share between parts, from which calibration suffers
_EXPECTED: Final = "Expected the classes NORMAL and PNEUMONIA, or a folder for each kind."
FEWEST: Final = len(splits.PARTS)
"""Patients of each kind that a training asks for."""
PICTURES_EACH: Final = ("1", "2", "3", "4", "5 to 9", "10 and more")


class Stratum(msgspec.Struct, frozen=True, kw_only=True):
    """One kind within one part."""

    part: str
    label: str
    kind: str
    pictures: int
    patients: int


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """Counts. `each` holds, for every kind, how many patients have as many pictures as PICTURES_EACH says."""

    pictures: int
    patients: int
    strata: tuple[Stratum, ...]
    labels: dict[str, int]
    most: int
    most_of: str
    each: dict[str, tuple[int, ...]]
    unnamed: int
    """Pictures whose name tells no patient; each counts as one."""


def count(survey: Survey) -> Composition:
    """Count pictures and patients; patients of one name in two parts are one."""
    pictures = survey.pictures
    cells = sorted({(picture.part, picture.label, picture.kind) for picture in pictures})
    order = [part.name for part in survey.parts]
    strata = []
    for part, label, kind in sorted(cells, key=lambda cell: (order.index(cell[0]), *cell[1:])):
        rows = [picture for picture in pictures if (picture.part, picture.label, picture.kind) == (part, label, kind)]
        patients = len({picture.patient for picture in rows})
        strata.append(Stratum(part=part, label=label, kind=kind, pictures=len(rows), patients=patients))
    of_patient = Counter(picture.patient for picture in pictures)
    most_of, most = max(of_patient.items(), key=lambda item: item[1], default=("", 0))
    kind_of = {picture.patient: picture.kind for picture in pictures}
    kinds = list(dict.fromkeys(stratum.kind for stratum in strata))
    return Composition(
        pictures=len(pictures),
        patients=len(of_patient),
        strata=tuple(strata),
        labels=dict(sorted(Counter(picture.label for picture in pictures).items())),
        most=most,
        most_of=most_of,
        each={kind: _each([number for patient, number in of_patient.items() if kind_of[patient] == kind]) for kind in kinds},
        unnamed=sum(not picture.named for picture in pictures),
    )


def interpret(found: Composition) -> list[str]:
    """Say what there is, what accuracy means with it, and where parts differ."""
    kinds: Counter[str] = Counter()
    for stratum in found.strata:
        kinds[stratum.kind] += stratum.pictures
    shares = [f"{number:,} {kind} ({wording.share(number / found.pictures)})" for kind, number in kinds.items()]
    sentences = [f"{wording.count(found.pictures, 'picture')} of {wording.count(found.patients, 'patient')}: {wording.listing(shares)}."]
    sentences.append(_balance(found.labels))
    sentences.extend(_shift(found))
    return sentences


def interpret_patients(found: Composition) -> list[str]:
    """Say how pictures spread over patients."""
    if found.unnamed == found.pictures:
        return ["No file name tells a patient: each picture counts as a patient of its own, and leaks between patients cannot be seen."]
    mean = found.pictures / found.patients
    several = sum(sum(numbers[1:]) for numbers in found.each.values())
    sentences = [
        f"A patient has {mean:.1f} pictures on average; {wording.count(several, 'patient')} of {found.patients:,} "
        f"{wording.verb(several, 'has', 'have')} more than one."
    ]
    if found.most > 1:
        share = f"{found.most:,}, {wording.share(found.most / found.pictures)} of all"
        sentences.append(f"Most has {found.most_of}: {share}. Intervals must draw patients, not pictures.")
    if found.unnamed:
        verb = wording.verb(found.unnamed, "has a name that tells", "have names that tell")
        sentences.append(f"{wording.count(found.unnamed, 'picture')} {verb} no patient.")
    return sentences


def notes(found: Composition) -> list[tuple[str, str]]:
    """Return (code, sentence) of what stands in the way of training or measuring."""
    told = []
    kinds = {label: names.kind_of_folder(label) for label in found.labels}
    if unknown := sorted(label for label, kind in kinds.items() if kind is None):
        told.append(("unknown_label", f"{_EXPECTED} Received as well: {wording.listing(unknown)}."))
    sides = {"NORMAL" if kind == names.NORMAL else "PNEUMONIA" for kind in kinds.values() if kind is not None}
    if missing := sorted({"NORMAL", "PNEUMONIA"} - sides):
        told.append(("missing_label", f"{_EXPECTED} Received no picture of: {wording.listing(missing)}."))
    return told + _in_the_way_of_training(found, sides)


def _in_the_way_of_training(found: Composition, sides: Collection[str]) -> list[tuple[str, str]]:
    """Return what keeps `pneumonia train` from learning from any part; of several that of the part where least is missing.

    A side that is missing is told elsewhere.
    """
    of_parts = [_in_the_way_in_part(found, sides, part) for part in dict.fromkeys(stratum.part for stratum in found.strata)]
    return min(of_parts, key=len, default=[])


def _in_the_way_in_part(found: Composition, sides: Collection[str], part: str) -> list[tuple[str, str]]:
    pictures: Counter[str] = Counter()
    patients: Counter[str] = Counter()
    for stratum in found.strata:
        if stratum.part == part:
            pictures[stratum.kind] += stratum.pictures
            patients[stratum.kind] += stratum.patients
    told = []
    untold = "PNEUMONIA" in sides and pictures[names.PNEUMONIA] > 0
    asked = {names.NORMAL: "NORMAL" in sides} | dict.fromkeys(names.KINDS[1:], "PNEUMONIA" in sides and not untold)
    if untold:
        expected = "names in PNEUMONIA that tell bacteria or virus, or a folder for each kind, to train on"
        shown = wording.count(pictures[names.PNEUMONIA], "picture")
        told.append(("unknown_kind", f"Expected {expected}. Received: {shown} of pneumonia of no kind. Such can be evaluated on."))
    for kind in names.KINDS:
        if asked[kind] and patients[kind] < FEWEST:
            expected = f"at least {FEWEST} patients of kind {kind}, to train, to choose and to report on"
            told.append(("too_few_patients", f"Expected {expected}. Received: {patients[kind]}."))
    return told


def _each(numbers: list[int]) -> tuple[int, ...]:
    lows, highs = (1, 2, 3, 4, 5, 10), (1, 2, 3, 4, 9, float("inf"))
    return tuple(sum(low <= number <= high for number in numbers) for low, high in zip(lows, highs, strict=True))


def _balance(labels: Mapping[str, int]) -> str:
    if len(labels) < 2:
        return f"Only {next(iter(labels))} is there: nothing can be learned or measured from one class."
    ranked = sorted(labels.items(), key=lambda item: -item[1])
    (often, most), (rare, least) = ranked[0], ranked[-1]
    if most <= BALANCED * least:
        return f"The classes are balanced within a factor of {most / least:.1f}: accuracy can be read as it is."
    return (
        f"{often} is {most / least:.1f} times as frequent as {rare}. Whoever always answers {often} is right for "
        f"{wording.share(most / sum(labels.values()))} of the pictures: weight the classes, and read accuracy beside that."
    )


def _shift(found: Composition) -> list[str]:
    """Compare the share of the rarest class between parts."""
    rare = min(found.labels, key=lambda label: found.labels[label])
    totals: Counter[str] = Counter()
    of_rare: Counter[str] = Counter()
    for stratum in found.strata:
        totals[stratum.part] += stratum.pictures
        of_rare[stratum.part] += stratum.pictures if stratum.label == rare else 0
    shares = {part: of_rare[part] / totals[part] for part in totals}
    if len(shares) < 2:
        return []
    told = wording.listing([f"{wording.share(share)} in {part}" for part, share in shares.items()])
    if max(shares.values()) - min(shares.values()) < _SHIFT:
        return [f"The parts agree in their share of {rare}: {told}."]
    return [f"The share of {rare} is {told}: a probability calibrated on one part is off on another."]
