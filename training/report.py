"""The figures in a package's `report/`, drawn from an evaluation's numbers by `pneumonia export`."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation import Evaluation
from training.pages import png

_SIDE_IN: Final = 4.5
_BLUE: Final = "#0072B2"  # Okabe and Ito, as in core.heatmap
_GREY: Final = "#999999"


def draw(evaluation: Evaluation) -> dict[str, bytes]:
    """Return PNG files by name; a figure whose numbers are not there is left out."""
    figures = {"reliability.png": _reliability(evaluation)}
    if evaluation.curves.roc is not None:
        figures["roc.png"] = _roc(evaluation)
    if evaluation.corruptions:
        figures["robustness.png"] = _robustness(evaluation)
    if evaluation.mistakes:
        figures["mistakes.png"] = _mistakes(evaluation)
    return {name: png(figure) for name, figure in sorted(figures.items())}


def _axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_SIDE_IN, _SIDE_IN))
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _roc(evaluation: Evaluation) -> Figure:
    roc = evaluation.curves.roc
    assert roc is not None  # noqa: S101 - for mypy: `draw` looks first
    figure, axes = _axes("Receiver operating characteristic", "1 - specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":")
    axes.plot(roc.false_positive_rate, roc.sensitivity, color=_BLUE)
    at = evaluation.metrics
    if at.sensitivity.value is not None and at.specificity.value is not None:
        axes.plot([1.0 - at.specificity.value], [at.sensitivity.value], "o", color=_BLUE)
        axes.annotate(
            evaluation.operating_point, (1.0 - at.specificity.value, at.sensitivity.value), xytext=(8, -12), textcoords="offset points"
        )
    return figure


def _reliability(evaluation: Evaluation) -> Figure:
    figure, axes = _axes("Reliability", "said: probability of pneumonia", "so: share with pneumonia")
    bins = [one for one in evaluation.curves.reliability if one.pictures]
    so = [one.share_with_pneumonia for one in bins]
    bars = [
        [max(0.0, one.share_with_pneumonia - one.share_low) for one in bins],
        [max(0.0, one.share_high - one.share_with_pneumonia) for one in bins],
    ]
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":")
    axes.errorbar([one.mean_probability for one in bins], so, yerr=bars, fmt="o", color=_BLUE)
    return figure


def _robustness(evaluation: Evaluation) -> Figure:
    rows = [row for row in evaluation.corruptions if row.balanced_accuracy is not None]
    figure, axes = _axes("Under corruption", f"balanced accuracy at {evaluation.operating_point}", "")
    axes.barh([f"{row.name}, {row.degree}" for row in rows], [row.balanced_accuracy or 0.0 for row in rows], color=_BLUE)
    if evaluation.metrics.balanced_accuracy.value is not None:
        axes.axvline(evaluation.metrics.balanced_accuracy.value, color=_GREY, linestyle=":")
    axes.invert_yaxis()
    return figure


def _mistakes(evaluation: Evaluation) -> Figure:
    figure, axes = _axes("Pictures called wrong", "probability of pneumonia", "pictures")
    truths = sorted({mistake.truth for mistake in evaluation.mistakes})
    shares = [[mistake.probability for mistake in evaluation.mistakes if mistake.truth == truth] for truth in truths]
    axes.hist(shares, bins=20, range=(0.0, 1.0), stacked=True, label=[f"truth: {truth}" for truth in truths])
    axes.legend()
    return figure
