"""How the pictures of each class look as files: size, aspect, brightness, sharpness; and how far each tells the classes apart."""

from collections import Counter
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from training import wording
from training.looks import COMPARED_PX
from training.shortcuts import NEGATIVE, Ranking
from training.survey import Survey

FIGURES: Final = (
    "width_px",
    "height_px",
    "aspect",
    "pixels",
    "bytes",
    "brightness",
    "contrast",
    "black_share",
    "sharpness",
    "edge_density",
)
Histogram = npt.NDArray[np.float64]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The 5th, 50th and 95th percentile of one figure in one class."""

    low: float
    median: float
    high: float


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """`spreads`: figure → class → spread. `separation`: figure → AUROC between NORMAL and the rest, at least 0.5; empty with one class."""

    spreads: dict[str, dict[str, Spread]]
    separation: dict[str, float]
    sizes: int
    """How many different widths and heights there are."""
    commonest_size: tuple[int, int]
    formats: dict[str, int]
    below_compared: int
    """Pictures with a side shorter than COMPARED_PX, which a network would see enlarged."""


def describe(survey: Survey) -> Appearance:
    """Return percentiles and separation of every figure. The survey must hold a picture."""
    labels = survey.labels
    columns = {name: survey.column(name) for name in FIGURES}
    sizes = Counter((picture.width_px, picture.height_px) for picture in survey.pictures)
    sides = np.minimum(columns["width_px"], columns["height_px"])
    truth = labels != NEGATIVE
    return Appearance(
        spreads={
            name: {label: _spread(values[labels == label]) for label in sorted(set(labels.tolist()))} for name, values in columns.items()
        },
        separation={name: _separation(truth, values) for name, values in columns.items()} if truth.any() and not truth.all() else {},
        sizes=len(sizes),
        commonest_size=sizes.most_common(1)[0][0],
        formats=dict(Counter(picture.format for picture in survey.pictures).most_common()),
        below_compared=int((sides < COMPARED_PX).sum()),
    )


def histograms(survey: Survey) -> dict[str, Histogram]:
    """Return for each class the mean histogram of brightness: float64 array (LEVELS,), shares that sum to 1."""
    labels = survey.labels
    shares = survey.histograms / survey.histograms.sum(axis=1, keepdims=True)
    return {label: shares[labels == label].mean(axis=0) for label in sorted(set(labels.tolist()))}


def interpret_size(found: Appearance) -> list[str]:
    """Say whether size and aspect can tell the class."""
    width, height = found.commonest_size
    formats = wording.listing([f"{number:,} {name.upper()}" for name, number in found.formats.items()])
    if found.sizes == 1:
        told = f"All pictures are {width} × {height} pixels ({formats}): made or brought to one size before, so size tells nothing here"
        return [
            f"{told}, and pictures as they come from a detector, of many sizes and aspects, were not seen."
            if width == height
            else f"{told}."
        ]
    sentences = [f"There are {found.sizes:,} sizes, {width} × {height} most often ({formats})."]
    for name, noun in (("pixels", "number of pixels"), ("aspect", "width over height")):
        medians = wording.listing([f"{label} {_shown(name, spread.median)}" for label, spread in found.spreads[name].items()])
        sentences.append(f"The {noun} has the medians {medians}{_telling(found, name)}.")
    if found.below_compared:
        verb = wording.verb(found.below_compared, "has", "have")
        small = f"{wording.count(found.below_compared, 'picture')} {verb} a side below {COMPARED_PX} pixels"
        sentences.append(f"{small}: networks see them enlarged, and softer.")
    return sentences


def interpret_brightness(found: Appearance) -> list[str]:
    """Say whether brightness and contrast can tell the class."""
    nouns = {
        "brightness": "Mean grey level",
        "contrast": "Contrast (standard deviation of the grey levels)",
        "black_share": "Share of black",
    }
    return [_compare(found, name, noun) for name, noun in nouns.items()]


def interpret_sharpness(found: Appearance) -> list[str]:
    """Say whether sharpness and edges can tell the class."""
    sentences = [_compare(found, "sharpness", "Sharpness (variance of the Laplacian)"), _compare(found, "edge_density", "Edge density")]
    best = max(found.separation.get(name, 0.5) for name in ("sharpness", "edge_density"))
    if best >= 0.7:
        sentences.append(
            "Blur alone would change the answer of a network that leans on this: test it on blurred and on sharpened pictures."
        )
    return sentences


def _compare(found: Appearance, name: str, noun: str) -> str:
    spreads = found.spreads[name]
    told = [
        f"{label} {_shown(name, spread.median)} ({_shown(name, spread.low)} to {_shown(name, spread.high)})"
        for label, spread in spreads.items()
    ]
    return f"{noun}, median and 5th to 95th percentile: {wording.listing(told)}{_telling(found, name)}."


def _telling(found: Appearance, name: str) -> str:
    """Grade the separation, where there are two sides to tell apart."""
    if name not in found.separation:
        return ""
    return f"; it tells the class {wording.separation(found.separation[name])} (AUROC {found.separation[name]:.2f})"


def _shown(name: str, value: float) -> str:
    if name == "pixels":
        return f"{value / 1e6:.2f} million"
    if name in ("edge_density", "black_share"):
        return wording.share(value)
    return f"{value:.2f}" if name == "aspect" else f"{value:,.0f}"


def _spread(values: npt.NDArray[np.float64]) -> Spread:
    low, median, high = (round(float(value), 4) for value in np.percentile(values, [5, 50, 95]))
    return Spread(low=low, median=median, high=high)


def _separation(truth: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> float:
    measured = Ranking(truth, values).area(np.ones(len(truth), np.int64))
    return round(max(measured, 1.0 - measured), 4)
