"""The figures of `pneumonia explore`. Colours: Okabe and Ito (jfly.uni-koeln.de/color, 2002), told apart in all common colour vision."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.composition import PICTURES_EACH, Composition
from training.names import BACTERIAL, NORMAL, PNEUMONIA, VIRAL
from training.pages import Picture
from training.pictures import GreyStack
from training.shortcuts import FEATURES, Shortcuts
from training.survey import LEVELS, Survey

WIDTH_IN: Final = 8.5
_COLOURS: Final = {NORMAL: "#0072B2", BACTERIAL: "#D55E00", VIRAL: "#E69F00", PNEUMONIA: "#D55E00"}
_MORE: Final = ("#009E73", "#CC79A7", "#56B4E9", "#000000")
_FONT_PT: Final = 10
_SPOTS: Final = 80  # dots side by side, in a scatter: more would not be seen, and each costs bytes
Bins = npt.NDArray[np.float64]


def colour_of(name: str, names: Sequence[str]) -> str:
    """Return the colour of a kind or a class; those we do not know share what is left of the palette, in order."""
    strangers = [other for other in names if other.lower() not in _COLOURS]
    return _COLOURS.get(name.lower()) or _MORE[strangers.index(name) % len(_MORE)]


def classes(found: Composition) -> Picture:
    """Bars of each part, a length a kind."""
    parts = list(dict.fromkeys(stratum.part for stratum in found.strata))
    kinds = list(dict.fromkeys(stratum.kind for stratum in found.strata))
    figure, axes = _panel(0.9 + 0.5 * len(parts))
    starts = np.zeros(len(parts))
    for kind in kinds:
        counts = [sum(row.pictures for row in found.strata if (row.part, row.kind) == (part, kind)) for part in parts]
        axes.barh(parts, counts, left=starts, height=0.6, color=colour_of(kind, kinds), label=kind, edgecolor="white")
        starts += counts
    axes.invert_yaxis()
    axes.set_xlabel("pictures")
    _legend_above(axes)
    return Picture(figure, f"Pictures of each kind in {', '.join(parts)}")


def samples(rows: Mapping[str, Sequence[GreyStack]]) -> Picture:
    """Draw a row of pictures for each kind."""
    columns = max(len(row) for row in rows.values())
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN / columns * len(rows) + 0.3 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for cells, (kind, pictures) in zip(grid, rows.items(), strict=True):
        for place, axes in enumerate(cells):
            axes.set_axis_off()
            if place < len(pictures):
                axes.imshow(pictures[place], cmap="gray", vmin=0, vmax=255)
        cells[0].set_title(kind, loc="left", fontsize=_FONT_PT)
    return Picture(figure, f"Samples of {', '.join(rows)}")


def pairs(shown: Sequence[tuple[str, GreyStack, GreyStack]]) -> Picture:
    """Draw pairs of pictures beside each other, two pairs a row."""
    lines = (len(shown) + 1) // 2
    figure = Figure(figsize=(WIDTH_IN, 2.4 * lines), layout="constrained")
    grid = figure.subplots(lines, 4, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for place, (title, one, other) in enumerate(shown):
        left = grid[place // 2][place % 2 * 2]
        left.imshow(one, cmap="gray", vmin=0, vmax=255)
        grid[place // 2][place % 2 * 2 + 1].imshow(other, cmap="gray", vmin=0, vmax=255)
        left.set_title(title, loc="left", fontsize=_FONT_PT - 1)
    return Picture(figure, "Pictures that are there twice, beside each other")


def sizes(survey: Survey) -> Picture:
    """A dot where pictures are, width across and height up; one panel a class, since dots would hide each other."""
    labels = sorted(set(survey.labels.tolist()))
    figure = Figure(figsize=(WIDTH_IN, 3.4), layout="constrained")
    panels = figure.subplots(1, len(labels), sharex=True, sharey=True, squeeze=False)[0]
    widths, heights = survey.column("width_px"), survey.column("height_px")
    step = max(1.0, float(max(widths.max(), heights.max())) // _SPOTS)  # dots that would lie over each other are one
    for axes, label in zip(panels, labels, strict=True):
        rows = survey.labels == label
        spots = np.unique(np.column_stack([widths[rows], heights[rows]]) // step, axis=0) * step
        axes.scatter(*spots.T, s=6, alpha=0.6, linewidths=0, color=colour_of(label, labels))
        axes.set_title(label, loc="left", fontsize=_FONT_PT)
        axes.set_xlabel("width in pixels")
        _tidy(axes)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("height in pixels")
    return Picture(figure, f"Width and height of the pictures of {', '.join(labels)}")


def brightness(histograms: Mapping[str, Bins]) -> Picture:
    """Draw the mean histogram of each class as a line."""
    figure, axes = _panel(3.0)
    levels = (np.arange(LEVELS) + 0.5) * 256 / LEVELS
    for label, shares in histograms.items():
        axes.plot(levels, shares, color=colour_of(label, list(histograms)), linewidth=2, label=label)
    axes.set_xlim(0, 256)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("grey level (0 black, 255 white)")
    axes.set_ylabel("share of the pixels")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _legend_above(axes)
    return Picture(figure, f"Mean brightness histogram of {', '.join(histograms)}")


def sharpness(survey: Survey) -> Picture:
    """Draw how sharpness and edge density spread in each class."""
    labels = sorted(set(survey.labels.tolist()))
    figure = Figure(figsize=(WIDTH_IN, 3.0), layout="constrained")
    panels = figure.subplots(1, 2)
    _spread(panels[0], survey, labels, "sharpness", "sharpness (variance of the Laplacian)")
    _spread(panels[1], survey, labels, "edge_density", "share of the pixels on an edge")
    panels[1].xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    panels[0].set_ylabel("pictures of the class")
    _legend_above(panels[0])
    return Picture(figure, f"Sharpness and edge density of {', '.join(labels)}")


def patients(found: Composition) -> Picture:
    """Bars: how many patients have one picture, two, and so on."""
    figure, axes = _panel(3.0)
    places, kinds = np.arange(len(PICTURES_EACH)), list(found.each)
    width = 0.8 / len(kinds)
    for turn, kind in enumerate(kinds):
        offset = (turn - (len(kinds) - 1) / 2) * width
        axes.bar(places + offset, found.each[kind], width=width * 0.95, color=colour_of(kind, kinds), label=kind)
    axes.set_xticks(places, PICTURES_EACH)
    axes.set_xlabel("pictures of the patient")
    axes.set_ylabel("patients")
    _legend_above(axes)
    return Picture(figure, "Patients by the number of their pictures")


def shortcuts(found: Shortcuts) -> Picture:
    """A dot and an interval for each feature, chance as a line."""
    rows = [(FEATURES[one.feature], one.auroc) for one in found.alone]
    if found.together is not None:
        rows.insert(0, ("all together", found.together))
    figure, axes = _panel(0.9 + 0.34 * len(rows))
    for place, (_, auroc) in enumerate(rows):
        together = place == 0 and found.together is not None
        axes.plot([auroc.low, auroc.high], [place, place], color="#0072B2", linewidth=2, solid_capstyle="butt")
        axes.plot(auroc.value, place, "D" if together else "o", color="#0072B2", markersize=8)
        axes.annotate(f"{auroc.value:.2f}", (auroc.high, place), (8, 0), textcoords="offset points", va="center", fontsize=_FONT_PT)
    axes.axvline(0.5, color="#5a6675", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(min(0.45, *(auroc.low for _, auroc in rows)), 1.04)
    axes.set_xlabel("AUROC, 95 % confidence interval by patient; 0.5 is chance")
    return Picture(figure, "AUROC of each feature and of all together")


def _spread(axes: Axes, survey: Survey, labels: Sequence[str], name: str, title: str) -> None:
    values = survey.column(name)
    # The rightmost percent is not drawn: a few very sharp pictures would leave the rest no room.
    last = float(np.percentile(values, 99.0))
    edges = np.linspace(float(values.min()), max(last, float(values.min()) + 1e-6), 41)
    for label in labels:
        own = values[survey.labels == label]
        counts, _ = np.histogram(own, edges)
        axes.stairs(counts / len(own), edges, color=colour_of(label, labels), linewidth=2, label=label)
    axes.set_xlabel(title)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylim(bottom=0)
    _tidy(axes)


def _panel(height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    axes = figure.subplots()
    _tidy(axes)
    return figure, axes


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=_FONT_PT)


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False, fontsize=_FONT_PT, borderaxespad=0.2)
