"""What an evaluation adds to the card of a package: its figures, robustness and failures. Called by `training.card`."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from training.evaluation import Estimate, Evaluation
from training.markdown import by, table

_EVALUATE: Final = "pneumonia evaluate PACKAGE DATASET --json evaluation.json"
_EXPORT: Final = "pneumonia export PACKAGE --evaluation evaluation.json --out FOLDER"


def figures(evaluation: Evaluation, drawn: Sequence[str]) -> str:
    """Return the figures of merit, and the drawn ones below."""
    data, metrics = evaluation.dataset, evaluation.metrics
    seen = "Training has seen these pictures: the figures flatter." if data.seen_in_training else "Training has not seen this data set."
    rows = [
        ("AUROC, pneumonia against normal", _estimate(metrics.auroc)),
        ("AUPRC, pneumonia against normal", _estimate(metrics.auprc)),
        ("accuracy", _estimate(metrics.accuracy)),
        ("sensitivity", _estimate(metrics.sensitivity)),
        ("specificity", _estimate(metrics.specificity)),
        ("AUROC, viral against bacterial", _estimate(metrics.bacterial_vs_viral_auroc)),
        ("expected calibration error", f"{metrics.calibration_error:.4f}"),
    ]
    shown = [f"![{figure.rpartition('/')[2].removesuffix('.png')}]({figure})" for figure in drawn]
    return (
        f"On {data.name} (sha256 `{data.sha256}`), {evaluation.created}, decided at `{evaluation.operating_point}`. {seen} "
        f"Intervals: {evaluation.intervals}.\n\n"
        + by(_EVALUATE)
        + table(("figure", "value (95 % CI)"), rows)
        + (f"\n\nDrawn by `{_EXPORT}`:\n\n" + "\n".join(shown) if shown else "")
    )


def kinds(evaluation: Evaluation) -> str:
    """Return how often each kind of pneumonia is found."""
    rows = [(row.kind, str(row.pictures), _estimate(row.sensitivity)) for row in evaluation.kinds]
    return by(_EVALUATE) + table(("kind", "pictures", f"sensitivity at `{evaluation.operating_point}` (95 % CI)"), rows)


def corruptions(evaluation: Evaluation) -> str:
    """Return the figures under corruption."""
    corrupted = [
        (row.name, f"{row.degree}: {row.amount}", *(_share(one) for one in (row.auroc, row.sensitivity, row.specificity)))
        for row in evaluation.corruptions
    ]
    point = f"at `{evaluation.operating_point}`"
    columns = ("corruption", "degree", "AUROC", f"sensitivity {point}", f"specificity {point}")
    return "The pictures of the evaluation, corrupted. " + by(_EVALUATE) + table(columns, corrupted)


def failures(evaluation: Evaluation | None) -> str:
    """Return what was called wrong, without the names of files."""
    if evaluation is None:
        return f"No evaluation is in this package. `{_EVALUATE}` lists every picture that is called wrong; `{_EXPORT}` puts them here."
    mistakes = evaluation.mistakes
    if not mistakes:
        return f"`{_EVALUATE}` called none of {evaluation.dataset.pictures} pictures wrong."
    counts = Counter((mistake.truth, mistake.kind or "", mistake.decision) for mistake in mistakes)
    rows = [(truth, kind or "not told", decision, str(count)) for (truth, kind, decision), count in sorted(counts.items())]
    sure = sum(abs(mistake.probability - 0.5) > 0.4 for mistake in mistakes)
    return (
        f"{len(mistakes)} of {evaluation.dataset.pictures} pictures were called wrong by their side of the threshold, {sure} of them with "
        "a probability below 0.1 or above 0.9.\n\n" + by(_EVALUATE) + table(("truth", "kind", "decision", "pictures"), rows)
    )


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return estimate.why_not or "not measured"
    bounds = "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.4f} to {estimate.high:.4f})"
    return f"{estimate.value:.4f}{bounds}"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
