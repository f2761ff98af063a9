"""`pneumonia explore`: what is in a data set before anything is learned from it, as one page and as JSON.

Each section stands on one module that counts or measures and says in a sentence what its figures mean; this one puts them together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from training import appearance, composition, duplicates, errors, folders, leakage, plates, shortcuts, survey, wording
from training.appearance import Appearance
from training.composition import Composition
from training.duplicates import Duplicates, DuplicateSet
from training.kept import NOTHING, Kept
from training.leakage import Leakage
from training.pages import Picture, Section, Table, render
from training.pictures import GreyStack
from training.shortcuts import Shortcuts
from training.survey import Survey, Unreadable

SAMPLES: Final = 6
HEADLINES: Final = ("Classes", "Patients", "Duplicates", "Leakage", "Unreadable files", "Dumb-feature baseline")
"""Sections whose first sentence goes to the terminal."""
_PAIRS_SHOWN: Final = 6
_ROWS_SHOWN: Final = 40
_SAMPLE_PX: Final = 160


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands in the way of training or measuring, with a stable code."""

    code: str
    text: str


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of an exploration, and the sentences that were made of them; what `--json` writes."""

    parts: dict[str, int]
    composition: Composition
    appearance: Appearance
    duplicates: Duplicates
    leakage: Leakage
    unreadable: tuple[Unreadable, ...]
    shortcuts: Shortcuts
    notes: tuple[Note, ...]
    sentences: dict[str, list[str]]


class Exploration(NamedTuple):
    """What was found, and the pictures' measurements, which the figures are drawn from."""

    findings: Findings
    survey: Survey


def explore(given: Sequence[Path], workers: int, progress: bool = True, kept: Kept = NOTHING) -> Exploration:
    """Measure data sets and work out what their figures say.

    Args:
        given: folders with one folder per class, or with parts (train, test) that have them.
        workers: threads that decode.
        progress: show a progress bar.
        kept: of explorations.

    Raises:
        errors.DatasetMissing, errors.NoClassFolders, errors.NoPictures: there is nothing to explore.
    """
    measured = survey.measure(folders.find(given), workers, progress, kept)
    if not measured.pictures:
        first = measured.unreadable[0]
        raise errors.NoPictures(
            f"Expected pictures that can be read. Received: {wording.count(len(measured.unreadable), 'file')} that cannot, the first "
            f"{first.path}: {first.code}: {first.reason}"
        )
    counted, looks = composition.count(measured), appearance.describe(measured)
    twice = duplicates.find(measured)
    leaks, baseline = leakage.find(measured, twice), shortcuts.find(measured)
    sentences = {
        "Classes": composition.interpret(counted),
        "Samples": [_interpret_samples(measured)],
        "Size": appearance.interpret_size(looks),
        "Brightness": appearance.interpret_brightness(looks),
        "Sharpness": appearance.interpret_sharpness(looks),
        "Patients": composition.interpret_patients(counted),
        "Duplicates": duplicates.interpret(twice),
        "Leakage": leakage.interpret(leaks),
        "Unreadable files": _interpret_unreadable(measured),
        "Dumb-feature baseline": shortcuts.interpret(baseline),
    }
    findings = Findings(
        parts={part.name: len(part.paths) for part in measured.parts},
        composition=counted,
        appearance=looks,
        duplicates=twice,
        leakage=leaks,
        unreadable=measured.unreadable,
        shortcuts=baseline,
        notes=tuple(Note(code=code, text=text) for code, text in composition.notes(counted)),
        sentences=sentences,
    )
    return Exploration(findings, measured)


def page(exploration: Exploration) -> str:
    """Return the page: a section for each topic, with its sentences, tables and figures."""
    found, measured = exploration
    tables, pictures = _tables(found), _pictures(exploration)
    lead = f"{wording.count(len(measured.pictures), 'picture')} in {wording.listing(list(found.parts))}."
    sections = [Section(title, said, tables.get(title, ()), pictures.get(title, ())) for title, said in found.sentences.items()]
    if found.notes:
        sections.insert(0, Section("To mend first", [f"{note.code}: {note.text}" for note in found.notes]))
    return render("What is in the data", lead, sections)


def _interpret_unreadable(measured: Survey) -> list[str]:
    failed = len(measured.unreadable)
    if not failed:
        return [f"All {wording.count(len(measured.pictures), 'file')} can be read."]
    left_out = f"{wording.count(failed, 'file')} of {failed + len(measured.pictures):,} cannot be read"
    return [f"{left_out}. Training and evaluation leave them out, and so does every figure here."]


def _tables(found: Findings) -> Mapping[str, Sequence[Table]]:
    strata = [[row.part, row.label, row.kind, f"{row.pictures:,}", f"{row.patients:,}"] for row in found.composition.strata]
    tables = {"Classes": [Table(["Part", "Class", "Kind", "Pictures", "Patients"], strata)]}
    sets = [*found.duplicates.near, *found.duplicates.identical]
    if sets:
        sets.sort(key=lambda one: (len(one.labels), len(one.parts), len(one.patients)), reverse=True)
        shown = sets[:_ROWS_SHOWN]
        rows = [[one.sort.replace("-", "\N{NON-BREAKING HYPHEN}"), f"{one.difference:.2f}", "; ".join(one.files)] for one in shown]
        caption = f"{len(shown)} of {wording.count(len(sets), 'set')}; those across classes, parts and patients first"
        tables["Duplicates"] = [Table(["Sort", "Difference", "Files"], rows, caption)]
    if found.unreadable:
        broken = [[f"{file.part}/{file.path}", file.code, file.reason] for file in found.unreadable[:_ROWS_SHOWN]]
        caption = f"{len(broken)} of {wording.count(len(found.unreadable), 'file')}"
        tables["Unreadable files"] = [Table(["File", "Code", "Reason"], broken, caption)]
    return tables


def drawings(exploration: Exploration) -> dict[str, Sequence[Picture]]:
    """Return the figures by their section, those that hold no picture of a patient."""
    found, measured = exploration
    drawn: dict[str, Sequence[Picture]] = {
        "Classes": [plates.classes(found.composition)],
        "Brightness": [plates.brightness(appearance.histograms(measured))],
        "Sharpness": [plates.sharpness(measured)],
    }
    if found.appearance.sizes > 1:
        drawn["Size"] = [plates.sizes(measured)]
    if found.composition.most > 1:
        drawn["Patients"] = [plates.patients(found.composition)]
    if found.shortcuts.alone:
        drawn["Dumb-feature baseline"] = [plates.shortcuts(found.shortcuts)]
    return drawn


def _pictures(exploration: Exploration) -> Mapping[str, Sequence[Picture]]:
    found, measured = exploration
    pictures = {**drawings(exploration), "Samples": [plates.samples(_samples(measured))]}
    across = [one for one in (*found.duplicates.near, *found.duplicates.identical) if len(one.patients) > 1 or one.sort == duplicates.NEAR]
    if across:
        pictures["Duplicates"] = [plates.pairs([_pair(measured, one) for one in across[:_PAIRS_SHOWN]])]
    return pictures


def _interpret_samples(measured: Survey) -> str:
    """Say how small a part of each kind is shown."""
    counts = Counter(picture.kind for picture in measured.pictures)
    shown = wording.listing([f"{min(SAMPLES, count)} of {count:,} of kind {kind}" for kind, count in counts.items()])
    return f"Shown are {shown}, evenly spread over the sorted file names: a look, from which nothing can be counted."


def _samples(measured: Survey) -> dict[str, list[GreyStack]]:
    """Read a few pictures of each kind again: thumbnails are too small to look at."""
    rows: dict[str, list[GreyStack]] = {}
    for kind in dict.fromkeys(picture.kind for picture in measured.pictures):
        own = [position for position, picture in enumerate(measured.pictures) if picture.kind == kind]
        spread = np.unique(np.linspace(0, len(own) - 1, min(SAMPLES, len(own))).round().astype(int))
        rows[kind] = [_look(measured, own[place]) for place in spread]
    return rows


def _pair(measured: Survey, found: DuplicateSet) -> tuple[str, GreyStack, GreyStack]:
    """Return the first and the last of a set, with what to write above them."""
    position = {f"{picture.part}/{picture.path}": row for row, picture in enumerate(measured.pictures)}
    one, other = found.files[0], found.files[-1]
    title = "\n".join(("…" + file[-42:]) if len(file) > 43 else file for file in (one, other))
    return title, _look(measured, position[one]), _look(measured, position[other])


def _look(measured: Survey, row: int) -> GreyStack:
    picture = measured.pictures[row]
    folder = next(part.folder for part in measured.parts if part.name == picture.part)
    return survey.preview(folder / picture.path, _SAMPLE_PX)
