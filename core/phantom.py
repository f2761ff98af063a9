"""A chest-like synthetic radiograph: no patient, no licence, the same pixels on every machine.

The self-test of a model package replays it, the sample picture of the page and the README is one, and tests draw theirs from here. Only
`+ - * /`, comparisons and integer arithmetic are used, all exactly rounded by IEEE 754, so that the digest of the pixels is the same on
every processor and every NumPy.
"""

import io
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]

SIDE_PX = 512
SAMPLE = 20
"""The seed of the sample picture: a drawing that the default model's guard takes for a chest, as it does about one in six."""


class Opacity(NamedTuple):
    """A soft round shadow such as a consolidation casts; centre and radius as fractions of the picture's side, strength in grey levels."""

    x: float
    y: float
    radius: float
    strength: float = 70.0


def chest(seed: int = SAMPLE, side_px: int = SIDE_PX, opacities: tuple[Opacity, ...] = ()) -> npt.NDArray[np.uint8]:
    """Draw a frontal chest.

    Args:
        seed: varies the proportions and the noise.
        side_px: height and width.
        opacities: shadows to plant, inside the lungs or elsewhere.

    Returns:
        uint8 array (side_px, side_px), 0 is air (dark), 255 is bone or metal (bright).
    """
    vary = _variation(seed)
    y, x = _ramp(side_px)[:, np.newaxis], _ramp(side_px)[np.newaxis, :]
    body = _disc(x, y, 0.5, 0.62, 0.50, 0.62, 0.06)
    grey = 8.0 + 142.0 * body
    lungs = np.maximum(
        _disc(x, y, 0.29 + vary[0] * 0.01, 0.47, 0.155 + vary[1] * 0.01, 0.33, 0.05),
        _disc(x, y, 0.71 + vary[2] * 0.01, 0.47, 0.150 + vary[1] * 0.01, 0.33, 0.05),
    )
    grey -= (92.0 + 6.0 * vary[3]) * lungs
    grey += 26.0 * _ribs(x, y, vary[4]) * np.maximum(lungs, 0.35 * body)
    grey += 44.0 * _band(x, 0.5, 0.045, 0.03) * _step(y, 0.02, 0.10)  # spine
    grey += 40.0 * _disc(x, y, 0.55 + vary[5] * 0.01, 0.63, 0.15, 0.16, 0.07) * (1.0 - 0.4 * _band(x, 0.5, 0.04, 0.02))  # heart
    for side in (0.30, 0.70):
        grey += 70.0 * _disc(x, y, side, 0.86 + 0.01 * vary[6], 0.20, 0.13, 0.03) * lungs  # diaphragm
        grey += 22.0 * _disc(x, y, 0.5 + (side - 0.5) * 0.45, 0.45, 0.06, 0.12, 0.09) * lungs  # hilum
    for side in (0.27, 0.73):
        clavicle = 0.155 + 0.18 * (x - 0.5) * (x - 0.5)
        grey += 34.0 * _band(y - clavicle, 0.0, 0.012, 0.012) * _band(x, side, 0.20, 0.03) * body
    for opacity in opacities:
        grey += opacity.strength * _disc(x, y, opacity.x, opacity.y, opacity.radius, opacity.radius, opacity.radius)
    grey += _noise(side_px, seed)
    return np.clip(grey, 0.0, 255.0).astype(np.uint8)


@cache
def jpeg(seed: int = SAMPLE, opacities: tuple[Opacity, ...] = ()) -> bytes:
    """Return a phantom as a JPEG file: without opacities the sample picture of the page and of the README."""
    stream = io.BytesIO()
    Image.fromarray(chest(seed, SIDE_PX, opacities)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _ramp(size: int) -> Array:
    return (np.arange(size, dtype=np.float64) + 0.5) / size


def _step(value: Array, start: float, end: float) -> Array:
    """Smoothstep: 0 up to `start`, 1 from `end` on, 3t² - 2t³ between."""
    t = np.clip((value - start) / (end - start), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _disc(x: Array, y: Array, cx: float, cy: float, rx: float, ry: float, soft: float) -> Array:
    """1 inside the ellipse, 0 outside, a soft edge of relative width `soft / rx` between."""
    dx, dy = (x - cx) / rx, (y - cy) / ry
    edge = soft / rx
    return 1.0 - _step(dx * dx + dy * dy, 1.0 - edge, 1.0 + edge)


def _band(value: Array, centre: float, half: float, soft: float) -> Array:
    distance = np.abs(value - centre)
    return 1.0 - _step(distance, half, half + soft)


def _ribs(x: Array, y: Array, vary: float) -> Array:
    """Nine curved stripes a side: a triangle wave along a parabola that falls towards the flank."""
    away = np.abs(x - 0.5)
    phase = (y + 0.9 * away * away - 0.22 * away) * (11.0 + 0.4 * vary)
    wave = np.abs(phase - np.floor(phase) - 0.5) * 2.0
    return _step(wave, 0.55, 0.95)


def _variation(seed: int) -> list[float]:
    """Seven values in [-1, 1] from the seed."""
    values = _scramble(np.arange(7, dtype=np.uint64) + np.uint64(7919 * (seed + 1)))
    return [float(value) for value in values / 2**31 - 1.0]


def _noise(side_px: int, seed: int) -> Array:
    """Grain of about four grey levels: the mean of two scrambled counters a pixel, in [-6, 6]."""
    counter = np.arange(side_px * side_px, dtype=np.uint64) + np.uint64(104729 * (seed + 1))
    first, second = _scramble(counter), _scramble(counter + np.uint64(1 << 40))
    grain = (first / 2**31 - 1.0) * 3.0 + (second / 2**31 - 1.0) * 3.0
    return grain.reshape(side_px, side_px)


def _scramble(counter: Array) -> Array:
    """Mix 64-bit counters into float64 whole numbers in [0, 2**32): the finaliser of SplitMix64 (Steele et al., OOPSLA 2014)."""
    z = counter * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).astype(np.float64)
