"""What a package's guard says of pictures, counted: those of a data set, and others that are no chest X-rays. Called by `evaluate`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from core import contract, images
from core.classifier import Classifier
from core.shares import percent
from training import answers, errors
from training.cases import Case
from training.evaluation import Evaluation, GuardRow
from training.kept import NOTHING, Kept

_MOST_PASSING: Final = 0.2


def row(kind: str, judged: Sequence[contract.Guard]) -> GuardRow:
    """Return the counts of one kind of pictures."""
    verdicts = Counter(guard.verdict for guard in judged)
    return GuardRow(
        kind=kind,
        pictures=len(judged),
        accepted=verdicts["accept"],
        warned=verdicts["warn"],
        refused=verdicts["refuse"],
        unchecked=verdicts["unchecked"],
        reasons=dict(sorted(Counter(reason for guard in judged for reason in guard.reasons).items())),
    )


class Kind(NamedTuple):
    """Other pictures of one kind: its name and the files."""

    name: str
    files: tuple[Path, ...]


def kinds(folder: Path) -> tuple[Kind, ...]:
    """Return the kinds in a folder: one for each folder in it, by name, and what lies beside them under its own.

    Raises:
        errors.NothingToEvaluate: there is no file.
    """
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [_kind(child.name, child.rglob("*")) for child in inside if child.is_dir()]
    listed = tuple(kind for kind in (*found, _kind(folder.resolve().name, inside)) if kind.files)
    if not listed:
        raise errors.NothingToEvaluate(
            f"Expected folders of pictures in {folder}, one for each kind, or the pictures themselves. Received: no file."
        )
    return listed


def _kind(name: str, files: Iterable[Path]) -> Kind:
    return Kind(name, tuple(sorted(file for file in files if file.is_file() and not file.name.startswith("."))))


def outliers(asked: Sequence[Kind], classifier: Classifier, threads: int, progress: bool, kept: Kept = NOTHING) -> tuple[GuardRow, ...]:
    """Return a row for each kind; files that are no readable picture are left out.

    Raises:
        errors.NothingToEvaluate: there is no readable picture.
    """
    judge = kept.remember("guard", lambda data: classifier.judge(data, images.MAX_PIXELS)[1], contract.Guard)

    rows = []
    for kind in asked:
        cases = [Case(file, file.name, False, None, None) for file in kind.files]
        judged, _ = answers.for_each(cases, lambda _case, data: judge(data), threads, kind.name, progress)
        if judged:
            rows.append(row(kind.name, judged))
    if not rows:
        files = sum(len(kind.files) for kind in asked)
        raise errors.NothingToEvaluate(
            f"Expected folders of pictures for the guard, or the pictures themselves. Received: {files} unreadable files."
        )
    return tuple(rows)


def sentences(evaluation: Evaluation) -> list[str]:
    """Say what the counts of an evaluation mean."""
    facts, said = evaluation.guard, []
    if facts is None or facts.unchecked:
        return ["The package has no guard: any picture gets a probability." if facts else "Not measured."]
    said.append(
        f"The guard accepts {facts.accepted} of {facts.pictures} pictures ({percent(facts.accepted_share)}), warns of {facts.warned} "
        f"and refuses {facts.refused}."
    )
    if evaluation.outliers:
        pictures = sum(row.pictures for row in evaluation.outliers)
        stopped = pictures - sum(row.accepted for row in evaluation.outliers)
        passing = [row.kind for row in evaluation.outliers if row.accepted_share > _MOST_PASSING]
        said.append(f"Of {pictures} other pictures it refuses or warns of {stopped} ({percent(stopped / pictures)}).")
        said.append(f"More than a fifth passes of: {', '.join(passing)}." if passing else "No kind of them passes by more than a fifth.")
    return said
