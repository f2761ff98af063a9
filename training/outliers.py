"""Pictures that are no upright chest: made of chest pictures, and drawn. What the guard learns to tell apart; no photograph is among them.

All are uint8 arrays of the network's size, values in [0, 255], and the same for the same seed. Called by `training.guard`.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Grey = npt.NDArray[np.uint8]
Random = np.random.Generator
_DRAWN_SHARE: Final = 0.25


def make(chests: Sequence[Grey], count: int, seed: int) -> list[Grey]:
    """Return pictures that are no upright chest: three quarters made of chests, the others drawn.

    Args:
        chests: uint8 arrays (height, width), all of one size.
        count: how many; the ways to make them are taken in turn.
        seed: of what is drawn at random.
    """
    drawn = round(count * _DRAWN_SHARE)
    height, width = chests[0].shape
    made = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        if number < drawn:
            made.append(_DRAWN[number % len(_DRAWN)](height, width, rng))
        else:
            others = [chests[int(position)] for position in rng.integers(len(chests), size=4)]
            made.append(np.ascontiguousarray(_MADE[number % len(_MADE)](others)))
    return made


def _collage(chests: Sequence[Grey]) -> Grey:
    return _stretched(np.block([[chests[0], chests[1]], [chests[2], chests[3]]]), chests[0].shape)


def _stretched(grey: Grey, shape: tuple[int, ...]) -> Grey:
    return np.asarray(Image.fromarray(grey).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


_MADE: Final[tuple[Callable[[Sequence[Grey]], Grey], ...]] = (
    lambda chests: _stretched(np.rot90(chests[0]), chests[0].shape),
    lambda chests: _stretched(np.rot90(chests[0], 3), chests[0].shape),
    lambda chests: chests[0][::-1, ::-1],
    lambda chests: chests[0][::-1],
    lambda chests: 255 - chests[0],
    _collage,
    lambda chests: _stretched(np.hstack([chests[0], chests[1]]), chests[0].shape),
)


def _noise(height: int, width: int, rng: Random) -> Grey:
    return _levels(rng.normal(128.0, rng.uniform(10.0, 70.0), (height, width)))


def _clouds(height: int, width: int, rng: Random) -> Grey:
    """Noise whose power falls with frequency, as that of natural pictures does (Field, 1987)."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(width), np.fft.fftfreq(height)))
    frequency[0, 0] = 1.0
    spectrum = np.fft.fft2(rng.standard_normal((height, width))) / frequency ** rng.uniform(0.5, 2.0)
    return _stretched_levels(np.fft.ifft2(spectrum).real)


def _gradient(height: int, width: int, rng: Random) -> Grey:
    y, x = np.mgrid[0:height, 0:width] / float(height)
    shapes = (x, y, np.hypot(x - 0.5, y - 0.5), -np.hypot(x - 0.5, y - 0.5), x * y, np.sin(12.0 * x) * np.cos(9.0 * y))
    return _stretched_levels(shapes[int(rng.integers(len(shapes)))] + rng.normal(0.0, 0.004, (height, width)))


def _page(height: int, width: int, rng: Random) -> Grey:
    """Lines of letters on paper, or on a dark screen."""
    paper, ink = (255, 0) if rng.random() < 0.75 else (20, 235)
    image = Image.new("L", (width, height), paper)
    draw, size = ImageDraw.Draw(image), int(rng.integers(7, 18))
    font = ImageFont.load_default(size)
    for top in range(8, height - size, int(size * 1.5)):
        letters = "".join(chr(97 + int(letter)) if letter < 26 else " " for letter in rng.integers(31, size=width // 4))
        if rng.random() < 0.9:
            draw.text((8, top), letters, fill=ink, font=font)
    return np.asarray(image)


def _chart(height: int, width: int, rng: Random) -> Grey:
    """Axes with bars, or with curves."""
    image = Image.new("L", (width, height), 255)
    draw, left, floor = ImageDraw.Draw(image), width // 8, height - height // 8
    draw.line([(left, height // 10), (left, floor), (width - 10, floor)], fill=0, width=2)
    tops = [int(floor - share * floor * 0.8) for share in rng.random(8)]
    step = max(0, width - left - 12) // len(tops)
    gap = min(4, step // 4)
    if rng.random() < 0.5:
        for place, top in enumerate(tops):
            draw.rectangle((left + place * step + gap, top, left + (place + 1) * step - gap, floor), fill=int(rng.integers(40, 180)))
    else:
        draw.line([(left + place * step, top) for place, top in enumerate(tops)], fill=60, width=2)
    return np.asarray(image)


def _limb(height: int, width: int, rng: Random) -> Grey:
    """One or two bright tubes within a softer one, as long bones lie in a limb."""
    y, x = np.mgrid[0:height, 0:width] / float(height)
    angle = rng.uniform(-0.5, 0.5)
    across, along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), (y - 0.5) * np.cos(angle) - (x - 0.5) * np.sin(angle)
    grey = 8.0 + 90.0 * _tube(across, 0.0, rng.uniform(0.18, 0.3) + 0.04 * np.sin(5.0 * along))
    for _ in range(int(rng.integers(1, 3))):
        centre, half = rng.uniform(-0.1, 0.1), rng.uniform(0.03, 0.08) + 0.03 * np.abs(along)
        grey += 110.0 * _tube(across, centre, half) - 50.0 * _tube(across, centre, half * 0.6)
    soft = Image.fromarray(_levels(grey + rng.normal(0.0, 3.0, grey.shape))).filter(ImageFilter.GaussianBlur(1.0))
    return np.asarray(soft)


def _tube(across: npt.NDArray[np.float64], centre: float, half: "npt.NDArray[np.float64] | float") -> npt.NDArray[np.float64]:
    """How thick a round tube is where a ray crosses it, in [0, 1]."""
    return np.sqrt(np.maximum(0.0, 1.0 - ((across - centre) / half) ** 2))


_DRAWN: Final[tuple[Callable[[int, int, Random], Grey], ...]] = (_noise, _clouds, _gradient, _page, _chart, _limb)


def _levels(values: npt.NDArray[np.float64]) -> Grey:
    return np.rint(np.clip(values, 0.0, 255.0)).astype(np.uint8)


def _stretched_levels(values: npt.NDArray[np.float64]) -> Grey:
    low, high = np.quantile(values, (0.01, 0.99))
    return _levels((values - low) / max(high - low, 1e-9) * 255.0)
