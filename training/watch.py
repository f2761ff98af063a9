"""What a package's guard says of pictures, counted: those of a data set, and others that are no chest X-rays. Called by `evaluate`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core import contract, images
from core.classifier import Classifier
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


def outliers(folder: Path, classifier: Classifier, threads: int, progress: bool, kept: Kept = NOTHING) -> tuple[GuardRow, ...]:
    """Return a row for each folder in `folder`, by name; files that are no readable picture are left out.

    Raises:
        errors.NothingToEvaluate: no folder in it has a readable picture.
    """
    judge = kept.remember("guard", lambda data: classifier.judge(data, images.MAX_PIXELS)[1], contract.Guard)

    rows = []
    for kind in sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else ():
        files = sorted(file for file in kind.rglob("*") if file.is_file() and not file.name.startswith("."))
        cases = [Case(file, file.name, False, None, None) for file in files]
        judged, _ = answers.for_each(cases, lambda _case, data: judge(data), threads, kind.name, progress)
        if judged:
            rows.append(row(kind.name, judged))
    if not rows:
        raise errors.NothingToEvaluate(
            f"Expected folders of pictures in {folder}, one for each kind. Received: none with a readable picture."
        )
    return tuple(rows)


def sentences(evaluation: Evaluation) -> list[str]:
    """Say what the counts of an evaluation mean."""
    facts, said = evaluation.guard, []
    if facts is None or facts.unchecked:
        return ["The package has no guard: any picture gets a probability." if facts else "Not measured."]
    said.append(
        f"The guard accepts {facts.accepted} of {facts.pictures} pictures ({facts.accepted_share:.1%}), warns of {facts.warned} "
        f"and refuses {facts.refused}."
    )
    if evaluation.outliers:
        pictures = sum(row.pictures for row in evaluation.outliers)
        stopped = pictures - sum(row.accepted for row in evaluation.outliers)
        passing = [row.kind for row in evaluation.outliers if row.accepted_share > _MOST_PASSING]
        said.append(f"Of {pictures} other pictures it refuses or warns of {stopped} ({stopped / pictures:.1%}).")
        said.append(f"More than a fifth passes of: {', '.join(passing)}." if passing else "No kind of them passes by more than a fifth.")
    return said
