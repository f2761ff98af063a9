"""What the card of a package says of its guard: what it does, how it was made, what it was measured to do. Called by `training.card`."""

from core.manifest import GuardContract, Manifest
from core.shares import percent
from training import markdown
from training.card_evaluation import Evaluated
from training.evaluation import Evaluation, GuardRow

_COMMAND = "pneumonia guard PACKAGE DATASET --out FOLDER"
_NONE = "This package has no guard: any picture gets a probability, and every answer says that nothing was checked."


def section(manifest: Manifest, evaluated: Evaluated | None) -> str:
    """Return the text of the section."""
    decides = manifest.guard
    if decides is None:
        return _NONE
    parts = [_does(decides)]
    if "guard" in manifest.metrics:
        parts.append(_fitted(manifest))
    if evaluated is not None and (rows := _rows(evaluated.evaluation)):
        command = evaluated.command
        head = ("pictures of", "pictures", "accepted", "warned", "refused", "refused or warned")
        words = "Whole files, as served: the looks at the picture and the distance together. The first row is of chest X-rays."
        if evaluated.evaluation.outliers:
            command += " --outliers OUTLIERS"
            words += (
                " The others are of OUTLIERS, a folder of pictures for each kind that is no chest; they were gathered for this table and "
                "are in no package."
            )
        parts.append(f"{words}\n\n" + markdown.by(command) + markdown.table(head, rows))
    return "\n\n".join(parts)


def _does(decides: GuardContract) -> str:
    return (
        "It looks at each picture (blank, white page, coloured, hardly any contrast, strange proportions) and measures how far the "
        "network's embedding lies from those of the chest X-rays that it was fitted on. Above a distance of "
        f"{decides.warn_distance} the answer carries a warning, above {decides.refuse_distance} there is no answer. {decides.chosen}"
    )


def _fitted(manifest: Manifest) -> str:
    found = manifest.metrics["guard"]
    rows = [
        (name, str(of["pictures"]), *(percent(of[share]) for share in ("accepted", "warned", "refused")))
        for name, of in (("held-out chest X-rays", found), ("made of them, or drawn", found["made"]))
    ]
    words = (
        "By the distance alone, on patients who neither fitted nor chose. `training/outliers.py` makes pictures of chests (turned, upside "
        "down, negative, several in one) and draws others (noise, clouds, gradients, pages, charts, limbs); the guard has learned from "
        "such pictures of other patients."
    )
    head = ("pictures", "number", "accepted", "warned", "refused")
    return f"{words}\n\n" + markdown.by(_COMMAND) + markdown.table(head, rows)


def _rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Return what the guard did with the data set and with other pictures; nothing where it checked nothing."""
    guarded = evaluation.guard
    return [] if guarded is None or guarded.unchecked else [_row(row) for row in (guarded, *evaluation.outliers)]


def _row(row: GuardRow) -> tuple[str, ...]:
    counts = (row.pictures, row.accepted, row.warned, row.refused)
    return (row.kind, *(str(count) for count in counts), percent(1.0 - row.accepted_share))
