"""What a training run wrote down after every epoch, read and drawn. It goes along in the package, so that its figure can be drawn again.

Called by `training.report`; written by `training.fit`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training import errors
from training.figures import BLUE, GREEN, GREY, VERMILION, WIDTH_IN

_CHOSEN_BY: Final = "tune_loss"
_PANELS: Final = ("loss", "AUROC")
_COLOURS: Final = (VERMILION, BLUE, GREEN, GREY)


class History(NamedTuple):
    """The epochs in their order, and by name what was measured after each."""

    epochs: tuple[int, ...]
    figures: Mapping[str, Sequence[float]]


def read(data: bytes) -> History:
    """Return a history; an epoch that an interrupted run wrote twice counts as it was written last.

    Raises:
        errors.RunUnusable: it is no history of a training run.
    """
    try:
        rows = {int(row.pop("epoch")): row for row in csv.DictReader(io.StringIO(data.decode()))}
        epochs = tuple(sorted(rows))
        names = list(rows[epochs[0]])
        return History(epochs, {name: [float(rows[epoch][name]) for epoch in epochs] for name in names})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise errors.RunUnusable(f"Expected history.csv of a training run, a row an epoch. Received: {error!r}.") from error


def kept(history: History, head_epochs: int) -> int | None:
    """Return the epoch whose weights the run kept: the lowest tune loss once all layers learn, or the last where none was judged."""
    if _CHOSEN_BY not in history.figures:
        return history.epochs[-1]
    losses = dict(zip(history.epochs, history.figures[_CHOSEN_BY], strict=True))
    return min((epoch for epoch in losses if epoch > head_epochs), key=lambda epoch: losses[epoch], default=None)


def draw(history: History, head_epochs: int) -> Figure:
    """Draw losses and AUROC by epoch, where all layers began to learn, and the epoch that was kept.

    Args:
        history: what `read` gave.
        head_epochs: how many epochs were for the head alone.
    """
    named = {title: [name for name in history.figures if title.lower() in name] for title in _PANELS}
    panels = [(title, names) for title, names in named.items() if names]
    figure = Figure(figsize=(WIDTH_IN, 3.8), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name, colour in zip(names, _COLOURS, strict=False):
            marker = "" if len(history.epochs) > 1 else "o"  # one epoch makes no line
            axes.plot(history.epochs, history.figures[name], marker=marker, color=colour, label=_shown(name))
        _marks(axes, kept(history, head_epochs), head_epochs, history.epochs[-1])
        axes.set_ylabel(title)
    return figure


def _shown(name: str) -> str:
    """Put a column's name into words: AUROC is an abbreviation."""
    return name.replace("auroc", "AUROC").replace("_", " ")


def _marks(axes: Axes, best: int | None, head_epochs: int, last: int) -> None:
    if best is not None:
        axes.axvline(best, color="black", linewidth=1, label=f"kept: epoch {best}")
    if 0 < head_epochs < last:
        axes.axvline(head_epochs + 0.5, color=GREY, linestyle=":", linewidth=1, label="all layers learn from here")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="#e3e7ec", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=9)
