"""The figures of an evaluation, drawn with Matplotlib without a window: confusion, ROC, precision and recall, thresholds, reliability."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation import CorruptionRow, Curves, Evaluation, Point, ReliabilityBin

# Okabe and Ito's palette, told apart in all common colour vision deficiencies.
BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
GREY: Final = "#8a94a0"
_MARKERS: Final = {"screening": "v", "balanced": "o", "rule_in": "^"}


def confusion(evaluation: Evaluation) -> Figure:
    """Draw counts by truth and decision, shaded by their share of the row."""
    counts = evaluation.confusion.decisions
    rows, columns = list(counts), list(next(iter(counts.values())))
    values = np.array([[counts[row][column] for column in columns] for row in rows], dtype=np.float64)
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1.0)
    figure = Figure(figsize=(6.2, 2.6))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(*values.shape):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, f"{values[row, column]:.0f}\n{shares[row, column]:.1%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("decision")
    axes.set_ylabel("truth")
    return figure


def discrimination(curves: Curves, points: tuple[Point, ...]) -> Figure:
    """Draw the ROC curve and precision over recall, with the operating points on the former."""
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    if curves.roc:
        left.plot(curves.roc.false_positive_rate, curves.roc.sensitivity, color=BLUE)
        left.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        for point in points:
            if point.sensitivity.value is not None and point.specificity.value is not None:
                marker = _MARKERS.get(point.name, "s")
                left.plot(1 - point.specificity.value, point.sensitivity.value, marker, color=VERMILION, label=point.name)
        left.legend(loc="lower right", frameon=False)
    _dress(left, "1 - specificity", "sensitivity", "ROC")
    if curves.precision_recall:
        right.step(curves.precision_recall.recall, curves.precision_recall.precision, where="post", color=BLUE)
    _dress(right, "recall (sensitivity)", "precision", "precision and recall")
    return figure


def thresholds(curves: Curves, point: Point) -> Figure:
    """Draw what each threshold would give, the point's own threshold and its indeterminate zone."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    axes = figure.subplots()
    x = [row.threshold for row in curves.thresholds]
    for name, colour in (("sensitivity", BLUE), ("specificity", VERMILION), ("balanced_accuracy", GREEN)):
        y = [np.nan if getattr(row, name) is None else getattr(row, name) for row in curves.thresholds]
        axes.plot(x, y, color=colour, label=name.replace("_", " "))
    axes.axvline(point.threshold, color="black", linewidth=1, label=f"{point.name}: {point.threshold:.3f}")
    if point.indeterminate_from < point.indeterminate_to:
        axes.axvspan(point.indeterminate_from, point.indeterminate_to, color=GREY, alpha=0.18, label="indeterminate")
    _dress(axes, "threshold on the probability of pneumonia", "share", "")
    axes.legend(loc="lower center", frameon=False, ncols=2)
    return figure


def reliability(bins: tuple[ReliabilityBin, ...]) -> Figure:
    """Draw what was said against what was so, with 95 % intervals, and how many pictures each bin holds."""
    figure = Figure(figsize=(5.4, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    said = np.array([one.mean_probability for one in bins])
    seen = np.array([one.share_with_pneumonia for one in bins])
    spread = [[one.share_with_pneumonia - one.share_low for one in bins], [one.share_high - one.share_with_pneumonia for one in bins]]
    upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    upper.errorbar(said, seen, yerr=np.maximum(spread, 0.0), fmt="o", color=BLUE, capsize=2)
    _dress(upper, "", "share with pneumonia", "")
    lower.bar([(one.low + one.high) / 2 for one in bins], [one.pictures for one in bins], width=0.09, color=GREY)
    lower.set_yscale("symlog", linthresh=1)
    lower.set_xlabel("probability of pneumonia")
    lower.set_ylabel("pictures")
    return figure


def corruptions(rows: tuple[CorruptionRow, ...]) -> Figure:
    """Draw the fall of balanced accuracy under each corruption, in points, with its interval."""
    measured = [row for row in rows if row.fall.value is not None][::-1]
    figure = Figure(figsize=(7.5, 0.8 + 0.3 * len(measured)), layout="constrained")
    axes = figure.subplots()
    falls = 100 * np.array([row.fall.value for row in measured], dtype=np.float64)
    low, high = (100 * np.array([getattr(row.fall, end) for row in measured], dtype=np.float64) for end in ("low", "high"))
    colours = [VERMILION if row.degree == "strong" else BLUE for row in measured]
    places = np.arange(len(measured))
    axes.barh(places, falls, color=colours, height=0.6)
    axes.errorbar(falls, places, xerr=[falls - low, high - falls], fmt="none", color="black", linewidth=1)
    axes.axvline(5.0, color=GREY, linestyle=":", linewidth=1)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(places, [f"{row.name}, {row.degree}" for row in measured])
    axes.set_xlabel("fall of balanced accuracy, points")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _dress(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=10)
    axes.grid(color="#e3e7ec", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
