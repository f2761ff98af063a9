"""What can befall a picture on its way to the network, each at a moderate and a strong degree: the rows of the corruption table.

Defined here alone and apart from `training.augment`, so that the table does not change when training does. All act at the network's size:
then a corruption is the same for an original of 7 megapixels and for a copy of 224 pixels. Lengths are shares of the field of view; a
child's chest fills about 22 cm of it, so that 1 % is about 2 mm. Grey is a share of the full range, black to white.

Collimation and "another site" stand for what models of the public train set fail on: its own test split and other hospitals frame the chest
tighter, without neck and shoulders, and store it brighter and less sharp (docs/evaluation.md).
"""

import io
from collections.abc import Callable
from functools import reduce
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Grey = npt.NDArray[np.uint8]
Degree = Literal["moderate", "strong"]
Selection = Literal["none", "quick", "all"]
LUNGS_FROM_ABOVE: Final = 0.4
"""Of what collimation cuts from the height, the share that goes above: in the mean picture of the public set lungs end at 0.15 and 0.8."""
SELECTIONS: Final[tuple[Selection, ...]] = ("none", "quick", "all")


class Corruption(NamedTuple):
    """One row of the table; `amount` says in units what is done."""

    name: str
    degree: Degree
    amount: str
    apply: Callable[[Grey, int], Grey]


def selected(selection: Selection) -> tuple[Corruption, ...]:
    """Return the corruptions of a selection: `quick` is the moderate ones."""
    return tuple(
        corruption for corruption in CORRUPTIONS if selection == "all" or (selection == "quick" and corruption.degree == "moderate")
    )


def _blur(share: float) -> Callable[[Grey, int], Grey]:
    def apply(grey: Grey, _seed: int) -> Grey:
        return np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(share * grey.shape[1])))

    return apply


def _noise(share: float) -> Callable[[Grey, int], Grey]:
    def apply(grey: Grey, seed: int) -> Grey:
        grain = np.random.default_rng(seed).standard_normal(grey.shape, dtype=np.float32) * np.float32(share * 255.0)
        return _levels(grey + grain)

    return apply


def _jpeg(quality: int) -> Callable[[Grey, int], Grey]:
    def apply(grey: Grey, _seed: int) -> Grey:
        stream = io.BytesIO()
        Image.fromarray(grey).save(stream, "JPEG", quality=quality)
        with Image.open(stream, formats=["JPEG"]) as image:
            return np.asarray(image)

    return apply


def _exposure(share: float) -> Callable[[Grey, int], Grey]:
    return lambda grey, _seed: _levels(grey + np.float32(share * 255.0))


def _contrast(factor: float) -> Callable[[Grey, int], Grey]:
    return lambda grey, _seed: _levels((grey - np.float32(127.5)) * np.float32(factor) + np.float32(127.5))


def _crop(share: float) -> Callable[[Grey, int], Grey]:
    """Keep the middle of both sides, enlarged to the whole."""

    def apply(grey: Grey, _seed: int) -> Grey:
        height, width = grey.shape
        margin_x, margin_y = width * (1.0 - share) / 2.0, height * (1.0 - share) / 2.0
        box = (margin_x, margin_y, width - margin_x, height - margin_y)
        return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC, box))

    return apply


def _collimation(share: float) -> Callable[[Grey, int], Grey]:
    """Keep a window around the lungs, enlarged to the whole: in the middle of the width, above the middle of the height."""

    def apply(grey: Grey, _seed: int) -> Grey:
        height, width = grey.shape
        left, top = width * (1.0 - share) / 2.0, height * (1.0 - share) * LUNGS_FROM_ABOVE
        box = (left, top, left + width * share, top + height * share)
        return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC, box))

    return apply


def _rotation(degrees: float) -> Callable[[Grey, int], Grey]:
    """Turn to either side, half of the pictures each; what comes into view is black."""

    def apply(grey: Grey, seed: int) -> Grey:
        return np.asarray(Image.fromarray(grey).rotate(degrees if seed % 2 else -degrees, Image.Resampling.BICUBIC))

    return apply


def _resolution(share: float) -> Callable[[Grey, int], Grey]:
    def apply(grey: Grey, _seed: int) -> Grey:
        height, width = grey.shape
        small = Image.fromarray(grey).resize((round(width * share), round(height * share)), Image.Resampling.BOX)
        return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))

    return apply


def _in_turn(*steps: Callable[[Grey, int], Grey]) -> Callable[[Grey, int], Grey]:
    def apply(grey: Grey, seed: int) -> Grey:
        return reduce(lambda changed, step: step(changed, seed), steps, grey)

    return apply


def _levels(values: npt.NDArray[np.float32]) -> Grey:
    return np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8)


CORRUPTIONS: Final = (
    Corruption("blur", "moderate", "Gaussian, sigma 0.45 % of the width", _blur(0.0045)),
    Corruption("blur", "strong", "Gaussian, sigma 0.9 % of the width", _blur(0.009)),
    Corruption("noise", "moderate", "Gaussian, sigma 2.5 % of the grey range", _noise(0.025)),
    Corruption("noise", "strong", "Gaussian, sigma 6 % of the grey range", _noise(0.06)),
    Corruption("JPEG", "moderate", "quality 30", _jpeg(30)),
    Corruption("JPEG", "strong", "quality 10", _jpeg(10)),
    Corruption("brighter", "moderate", "+12 % of the grey range", _exposure(0.12)),
    Corruption("brighter", "strong", "+25 % of the grey range", _exposure(0.25)),
    Corruption("darker", "moderate", "-12 % of the grey range", _exposure(-0.12)),
    Corruption("darker", "strong", "-25 % of the grey range", _exposure(-0.25)),
    Corruption("less contrast", "moderate", "x 0.75 about middle grey", _contrast(0.75)),
    Corruption("less contrast", "strong", "x 0.5 about middle grey", _contrast(0.5)),
    Corruption("more contrast", "moderate", "x 1.3 about middle grey", _contrast(1.3)),
    Corruption("more contrast", "strong", "x 1.8 about middle grey", _contrast(1.8)),
    Corruption("crop", "moderate", "middle 85 % of each side", _crop(0.85)),
    Corruption("crop", "strong", "middle 70 % of each side", _crop(0.7)),
    Corruption("rotation", "moderate", "6 degrees to either side", _rotation(6.0)),
    Corruption("rotation", "strong", "15 degrees to either side", _rotation(15.0)),
    Corruption("resolution", "moderate", "1/2 of the network's", _resolution(0.5)),
    Corruption("resolution", "strong", "1/4 of the network's", _resolution(0.25)),
    Corruption("collimation", "moderate", "75 % of each side around the lungs", _collimation(0.75)),
    Corruption("collimation", "strong", "62 % of each side around the lungs", _collimation(0.62)),
    Corruption(
        "another site",
        "moderate",
        "collimation 75 %, then resolution 2/3, then +8 % grey",
        _in_turn(_collimation(0.75), _resolution(2 / 3), _exposure(0.08)),
    ),
    Corruption(
        "another site",
        "strong",
        "collimation 62 %, then resolution 1/2, then +12 % grey",
        _in_turn(_collimation(0.62), _resolution(0.5), _exposure(0.12)),
    ),
)
"""`apply(grey, seed)` takes and returns a uint8 array (height, width), values in [0, 255], the same for the same seed."""
