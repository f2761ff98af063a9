"""What `explore` finds, as a page that travels in a package: `report/data.md` with its drawings, for whoever gets the model.

No picture of a patient, no name of a file and no number of a patient is in it; `pneumonia explore` itself shows those, in a local file.
Written by `pneumonia train` and `pneumonia export`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from core.manifest import Manifest
from training import composition, dataset, errors, explore, markdown
from training.explore import Exploration
from training.kept import NOTHING, Kept
from training.shelf import REPORT_FOLDER
from training.svg import svg

DATA_FILE: Final = f"{REPORT_FOLDER}/data.md"
_DRAWING: Final = f"{REPORT_FOLDER}/data-"
_COMMAND: Final = "pneumonia export PACKAGE --data DATASET --out FOLDER"
_SOMEBODY: Final = "one patient"
_LEFT_OUT: Final = ("Samples",)


def of(folder: Path, threads: int, kept: Kept = NOTHING) -> dict[str, bytes]:
    """Look at a data set that is trained on; return the page's files by their path in a package.

    Args:
        folder: of the data set.
        threads: that decode.
        kept: of explorations.

    Raises:
        errors.DatasetMissing, errors.NoClassFolders, errors.NoPictures: there is nothing to look at.
    """
    return draw(explore.explore([folder], threads, kept=kept))


def of_package(folder: Path, manifest: Manifest, threads: int, kept: Kept = NOTHING) -> dict[str, bytes]:
    """Do as `of`, for a package that is there already.

    Raises:
        errors.RunMismatch: the package says that it learned from another data set, or does not know from which.
        errors.DatasetMissing, errors.NoClassFolders, errors.NoPictures: there is nothing to look at.
    """
    expected = manifest.origin.dataset_sha256
    if expected is None:
        raise errors.RunMismatch("Expected a package that knows the data set that taught it. Received: one that was trained elsewhere.")
    exploration = explore.explore([folder], threads, kept=kept)
    received = dataset.digest(exploration.survey.pictures)
    if received != expected:
        raise errors.RunMismatch(
            f"Expected the data set that the package learned from, sha256 {expected[:12]}…. Received: {folder}, sha256 {received[:12]}…."
        )
    return draw(exploration)


def draw(exploration: Exploration) -> dict[str, bytes]:
    """Return the page and its drawings by their path in a package."""
    found, drawings = exploration.findings, explore.drawings(exploration)
    counts = "1 picture" if found.composition.pictures == 1 else f"{found.composition.pictures:,} pictures"
    lead = f"What is in the {counts} that the model learned from and was chosen on. Names of files and pictures of patients are not in it."
    parts, files = ["# The data", f"{lead} Drawn by `{_COMMAND}`."], {}
    if found.notes:
        parts.append(markdown.section("To mend first", "\n".join(f"- `{note.code}`: {note.text}" for note in found.notes)))
    for title, sentences in _sentences(exploration).items():
        blocks = [" ".join(sentences)]
        if title == "Classes":
            blocks.append(markdown.table(("class", "kind", "pictures", "patients"), _strata(exploration)))
        for number, picture in enumerate(drawings.get(title, ())):
            name = f"{_DRAWING}{_slug(title)}{number + 1 if number else ''}.svg"
            files[name] = svg(picture.figure, picture.alt)
            blocks.append(f"![{picture.alt}]({Path(name).name})")
        parts.append(markdown.section(title, "\n\n".join(blocks)))
    return {DATA_FILE: ("\n\n".join(parts) + "\n").encode(), **files}


def belongs(name: str) -> bool:
    """Whether a file of a package is of its data page: it stays when the rest of the report is made anew."""
    return name == DATA_FILE or name.startswith(_DRAWING)


def _sentences(exploration: Exploration) -> Mapping[str, list[str]]:
    """Return what was said of each topic, without the number of the patient who has most pictures."""
    nameless = msgspec.structs.replace(exploration.findings.composition, most_of=_SOMEBODY)
    said = {**exploration.findings.sentences, "Patients": composition.interpret_patients(nameless)}
    return {title: sentences for title, sentences in said.items() if title not in _LEFT_OUT}


def _strata(exploration: Exploration) -> list[tuple[str, ...]]:
    return [(row.label, row.kind, f"{row.pictures:,}", f"{row.patients:,}") for row in exploration.findings.composition.strata]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
