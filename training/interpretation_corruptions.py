"""What the corruption table means in sentences; a part of `training.interpretation`."""

from typing import Final

from training.evaluation import CorruptionRow, Evaluation

MOST_FALL: Final = 0.05
"""Of balanced accuracy, under a moderate corruption or where the files mislead."""
_LITTLE: Final = 0.6  # balanced accuracy that has little left to lose: 0.5 is chance


def sentences(evaluation: Evaluation) -> list[str]:
    """Return which moderate corruptions cost too much, or that none does, and where that says little."""
    moderate = [row for row in evaluation.corruptions if row.degree == "moderate" and row.fall.value is not None]
    if not moderate:
        return []
    beyond = [row for row in moderate if _fall(row) > MOST_FALL]
    worst = max(moderate, key=_fall)
    if beyond:
        names = ", ".join(f"{row.name} ({100 * _fall(row):.1f})" for row in sorted(beyond, key=_fall, reverse=True))
        return [f"Balanced accuracy falls by more than {100 * MOST_FALL:.0f} points under these moderate corruptions: {names}."]
    plain = evaluation.metrics.balanced_accuracy.value
    if plain is not None and plain < _LITTLE:
        return [f"Balanced accuracy is {plain:.3f} on the pictures as they are and has nowhere to fall: compare the AUROC of the rows."]
    return [
        f"No moderate corruption costs more than {100 * MOST_FALL:.0f} points of balanced accuracy; the worst is {worst.name} with "
        f"{100 * _fall(worst):.1f}."
    ]


def _fall(row: CorruptionRow) -> float:
    return row.fall.value or 0.0
