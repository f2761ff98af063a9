"""The figures of an evaluation, drawn with Matplotlib without a window. Called by `training.evaluation_page` and `training.report`.

Nothing in them is a raster image, so that all can be written as SVG.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from core.shares import percent
from training.evaluation import Confusion, CorruptionRow, Point, PrecisionRecallCurve, ReliabilityBin, RocCurve, ThresholdRow

# Okabe and Ito's palette, told apart in all common colour vision deficiencies.
BLUE: Final = "#0072b2"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
GREY: Final = "#8a94a0"
WIDTH_IN: Final = 7.0
_PALEST: Final = np.array([0.969, 0.984, 1.0])
_DARKEST: Final = np.array([0.031, 0.188, 0.420])
_MARKERS: Final = {"screening": "v", "balanced": "o", "rule_in": "^"}
_APART: Final = 0.002  # share of a side, a third of a point where the whole of it is drawn
_FEW: Final = 1000  # points of a curve that may all be drawn
_CORNER: Final = 0.25  # share of each side that the enlarged corner of a curve shows


def confusion(counts: Confusion) -> Figure:
    """Draw counts by truth and decision, and by kind where kinds are told; shaded by their share of the row."""
    tables = [("decision", counts.decisions), *([("answer by kind", counts.kinds)] if counts.kinds else [])]
    figure = Figure(figsize=(WIDTH_IN, 0.4 + sum(0.75 + 0.52 * len(table) for _, table in tables)), layout="constrained")
    panels = figure.subplots(len(tables), 1, squeeze=False, height_ratios=[len(table) for _, table in tables])[:, 0]
    for axes, (name, table) in zip(panels, tables, strict=True):
        _cells(axes, table)
        axes.set_xlabel(name)
        axes.set_ylabel("truth")
    figure.align_ylabels()
    return figure


def _cells(axes: Axes, table: dict[str, dict[str, int]]) -> None:
    rows, columns = list(table), list(next(iter(table.values())))
    values = np.array([[table[row][column] for column in columns] for row in rows], dtype=np.float64)
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1.0)
    for row, column in np.ndindex(*values.shape):
        share = shares[row, column]
        axes.barh(row, 1.0, left=column - 0.5, height=1.0, color=tuple(_PALEST + share * (_DARKEST - _PALEST)), edgecolor="white")
        axes.text(
            column,
            row,
            f"{values[row, column]:.0f} ({percent(share)})",
            ha="center",
            va="center",
            color="white" if share > 0.45 else "black",
        )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def roc(curve: RocCurve, points: Sequence[Point]) -> Figure:
    """Draw the ROC curve with the operating points, beside it its upper left corner."""
    figure, panels = _whole_and_corner("1 - specificity", "sensitivity", (0.0, _CORNER))
    for axes in panels:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="chance")
        axes.plot(*_apart(curve.false_positive_rate, curve.sensitivity), color=BLUE)
        for point in points:
            if point.sensitivity.value is not None and point.specificity.value is not None:
                marker = _MARKERS.get(point.name, "s")
                axes.plot(1 - point.specificity.value, point.sensitivity.value, marker, color=VERMILION, label=point.name)
    panels[0].legend(loc="lower right", frameon=False)
    return figure


def precision_recall(curve: PrecisionRecallCurve, share_with_pneumonia: float) -> Figure:
    """Draw precision over recall, beside it its upper right corner."""
    figure, panels = _whole_and_corner("recall (sensitivity)", "precision", (1.0 - _CORNER, 1.0))
    for axes in panels:
        axes.axhline(share_with_pneumonia, color=GREY, linestyle=":", linewidth=1, label=f"chance: {share_with_pneumonia:.2f}")
        axes.step(*_apart(curve.recall, curve.precision), where="post", color=BLUE)
    panels[0].legend(loc="lower left", frameon=False)
    return figure


def thresholds(rows: Sequence[ThresholdRow], point: Point) -> Figure:
    """Draw what each threshold would give, the point's own threshold and its indeterminate zone."""
    figure = Figure(figsize=(WIDTH_IN, 3.6), layout="constrained")
    axes = figure.subplots()
    x = [row.threshold for row in rows]
    for name, colour in (("sensitivity", BLUE), ("specificity", VERMILION), ("balanced_accuracy", GREEN)):
        y = [np.nan if getattr(row, name) is None else getattr(row, name) for row in rows]
        axes.plot(x, y, color=colour, label=name.replace("_", " "))
    _mark(axes, point)
    _dress(axes, "threshold on the probability of pneumonia", "share")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, ncols=3)
    return figure


def reliability(bins: Sequence[ReliabilityBin]) -> Figure:
    """Draw what was said against what was so, with 95 % intervals, and how many pictures each bin holds."""
    bins = [one for one in bins if one.pictures]
    figure = Figure(figsize=(WIDTH_IN, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    said = np.array([one.mean_probability for one in bins])
    seen = np.array([one.share_with_pneumonia for one in bins])
    spread = [[one.share_with_pneumonia - one.share_low for one in bins], [one.share_high - one.share_with_pneumonia for one in bins]]
    upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="as said")
    upper.errorbar(said, seen, yerr=np.maximum(spread, 0.0), fmt="o", color=BLUE, capsize=2, label="as seen, 95 % interval")
    _dress(upper, "", "share with pneumonia")
    upper.legend(loc="lower right", frameon=False)
    lower.bar([(one.low + one.high) / 2 for one in bins], [one.pictures for one in bins], width=0.09, color=GREY)
    _count(lower, "pictures", max(one.pictures for one in bins))
    lower.set_xlabel("probability of pneumonia")
    return figure


def probabilities(bins: Sequence[ReliabilityBin], point: Point) -> Figure:
    """Draw how many pictures of each class got which probability, with the threshold that decides between them."""
    figure = Figure(figsize=(WIDTH_IN, 4.2), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    ill = np.array([round(one.pictures * one.share_with_pneumonia) for one in bins])
    counts = {"pneumonia": ill, "normal": np.array([one.pictures for one in bins]) - ill}
    middles = [(one.low + one.high) / 2 for one in bins]
    for axes, (name, colour) in zip(panels, (("normal", BLUE), ("pneumonia", VERMILION)), strict=True):
        axes.bar(middles, counts[name], width=0.09, color=colour, zorder=2)
        for x, count in zip(middles, counts[name], strict=True):
            if count:
                axes.annotate(f"{count}", (x, count), (0, 2), textcoords="offset points", ha="center", fontsize=8)
        _mark(axes, point)
        _count(axes, f"pictures: {name}", max(map(int, counts[name])))
    panels[0].set_xlim(-0.02, 1.02)
    panels[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, ncols=2)
    panels[1].set_xlabel("probability of pneumonia")
    return figure


def corruptions(rows: Sequence[CorruptionRow]) -> Figure:
    """Draw the fall of balanced accuracy under each corruption, in points, with its interval."""
    measured = [row for row in rows if row.fall.value is not None][::-1]
    figure = Figure(figsize=(WIDTH_IN, 1.2 + 0.28 * len(measured)), layout="constrained")
    axes = figure.subplots()
    for degree, colour in (("moderate", BLUE), ("strong", VERMILION)):
        places = [place for place, row in enumerate(measured) if row.degree == degree]
        falls, low, high = (100 * np.array([getattr(measured[place].fall, end) for place in places]) for end in ("value", "low", "high"))
        if places:
            axes.barh(places, falls, color=colour, height=0.6, label=degree)
            axes.errorbar(falls, places, xerr=[falls - low, high - falls], fmt="none", color="black", linewidth=1)
    axes.axvline(5.0, color=GREY, linestyle=":", linewidth=1, label="5 points")
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(measured)), [f"{row.name}, {row.degree}" for row in measured])
    axes.set_ylim(-0.6, len(measured) - 0.4)
    axes.set_xlabel("fall of balanced accuracy in points (95 % interval); below 0 it rises")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, ncols=3)
    return figure


def _whole_and_corner(x: str, y: str, corner: tuple[float, float]) -> tuple[Figure, Sequence[Axes]]:
    """Return two panels, the whole unit square and an upper corner of it: curves of good models cling to it."""
    figure = Figure(figsize=(WIDTH_IN, 3.6), layout="constrained")
    whole, enlarged = figure.subplots(1, 2)
    _dress(whole, x, y)
    _dress(enlarged, f"{x}, corner enlarged", "")
    margin = 0.02 * _CORNER
    enlarged.set_xlim(corner[0] - margin, corner[1] + margin)
    enlarged.set_ylim(1.0 - _CORNER - margin, 1.0 + margin)
    return figure, (whole, enlarged)


def _apart(x: Sequence[float], y: Sequence[float]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a curve without the points that nobody could tell from those before them: a data set may have thousands."""
    points = np.stack([x, y], axis=1)
    if len(points) <= _FEW:  # each step shows
        return points[:, 0], points[:, 1]
    cells = np.round(points / _APART)
    kept = np.append(True, np.any(cells[1:] != cells[:-1], axis=1))
    kept[-1] = True
    return points[kept, 0], points[kept, 1]


def _mark(axes: Axes, point: Point) -> None:
    """Draw the threshold of a point and its indeterminate zone."""
    axes.axvline(point.threshold, color="black", linewidth=1, label=f"threshold of {point.name}: {point.threshold:.3f}")
    if point.indeterminate_from < point.indeterminate_to:
        axes.axvspan(point.indeterminate_from, point.indeterminate_to, color=GREY, alpha=0.18, linewidth=0, label="indeterminate")


def _count(axes: Axes, name: str, most: int) -> None:
    """Let the y axis count pictures, few and many."""
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0.0, 2.5 * max(most, 1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.yaxis.minorticks_off()
    axes.set_ylabel(name)
    axes.spines[["top", "right"]].set_visible(False)


def _dress(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="#e3e7ec", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
