"""Random changes of a picture that a radiograph survives: framing, exposure, sharpness, compression, noise.

The data set's shortcut is sharpness and file size (normal pictures were larger and sharper), and its exam is framed tighter: so training
varies just these. `vary` is for fitting; `SHIFTS` are single, moderate, named changes under which epochs, temperature and thresholds are
chosen. All work on grey arrays of the network's size and cost at most 3 ms a picture.
"""

import io
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Grey = npt.NDArray[np.uint8]
Random = np.random.Generator


class Augmentation(msgspec.Struct, frozen=True, kw_only=True):
    """How far `vary` goes. Shares are probabilities; areas are fractions of the picture's area, collimator and marker of its side."""

    area_low: float = 0.5
    tight_share: float = 0.2
    tight_area_low: float = 0.25
    aspect_high: float = 1.25
    rotation_deg: float = 8.0
    flip_share: float = 0.5
    tone_share: float = 0.8
    brightness: float = 0.15
    contrast: float = 0.3
    gamma: float = 0.35
    sharpness_share: float = 0.5
    blur_px: float = 1.6
    coarsening: float = 2.5
    sharpening: float = 1.5
    jpeg_share: float = 0.3
    jpeg_quality_low: int = 25
    noise_share: float = 0.3
    noise_levels: float = 8.0
    collimator_share: float = 0.0
    collimator_depth: float = 0.12
    marker_share: float = 0.0
    marker_size: float = 0.14


def vary(grey: Grey, rng: Random, settings: Augmentation, side_px: int | None = None) -> Grey:
    """Return a randomly changed copy.

    Args:
        grey: uint8 array (height, width), values in [0, 255].
        rng: one generator a picture makes the result independent of threads.
        settings: how far to go.
        side_px: side of the result; None keeps the picture's size.

    Returns:
        uint8 array (height, width), or (side_px, side_px).
    """
    tight = rng.random() < settings.tight_share
    area = rng.uniform(settings.tight_area_low, settings.area_low) if tight else rng.uniform(settings.area_low, 1.0)
    aspect = settings.aspect_high ** rng.uniform(-1.0, 1.0)
    image = _frame(
        Image.fromarray(grey),
        width=min(1.0, (area * aspect) ** 0.5),
        height=min(1.0, (area / aspect) ** 0.5),
        at=(rng.random(), rng.random()),
        angle_deg=rng.uniform(-settings.rotation_deg, settings.rotation_deg),
        mirrored=rng.random() < settings.flip_share,
        side_px=side_px,
    )
    if settings.collimator_share and rng.random() < settings.collimator_share:
        _collimate(image, rng, settings.collimator_depth)
    if settings.marker_share and rng.random() < settings.marker_share:
        _mark(image, rng, settings.marker_size)
    if rng.random() < settings.sharpness_share:
        image = _resharpen(image, rng, settings)
    if rng.random() < settings.tone_share:
        image = _tone(
            image,
            brightness=rng.uniform(-settings.brightness, settings.brightness),
            contrast=1.0 + rng.uniform(-settings.contrast, settings.contrast),
            gamma=float(np.exp(rng.uniform(-settings.gamma, settings.gamma))),
        )
    if rng.random() < settings.noise_share:
        image = _noise(image, rng, rng.uniform(1.0, settings.noise_levels))
    if rng.random() < settings.jpeg_share:
        image = _jpeg(image, int(rng.integers(settings.jpeg_quality_low, 96)))
    return np.asarray(image)


def _collimate(image: Image.Image, rng: Random, deepest: float) -> None:
    """Draw the black edges of a collimator: a share of the side at each edge, half of the edges none."""
    wide, high = image.size
    left, top, right, bottom = (deepest * rng.random(4) * rng.integers(2, size=4)).tolist()
    draw = ImageDraw.Draw(image)
    for box in (
        (0, 0, left * wide - 1, high),
        (0, 0, wide, top * high - 1),
        (wide - right * wide, 0, wide, high),
        (0, high - bottom * high, wide, high),
    ):
        if box[2] > box[0] and box[3] > box[1]:
            draw.rectangle(box, fill=0)


def _mark(image: Image.Image, rng: Random, largest: float) -> None:
    """Write the letter of a side marker, bright, anywhere: it is in the exam's normal pictures more than in the others."""
    size = largest * rng.uniform(0.4, 1.0) * image.height
    at = (rng.random() * (image.width - size), rng.random() * (image.height - size))
    ImageDraw.Draw(image).text(at, str(rng.choice(["R", "L"])), fill=int(rng.integers(170, 256)), font=ImageFont.load_default(size))


def _resharpen(image: Image.Image, rng: Random, settings: Augmentation) -> Image.Image:
    """Blur, coarsen or sharpen: each takes the meaning out of sharpness in its own way."""
    way = rng.integers(3)
    if way == 0:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, settings.blur_px)))
    if way == 1:
        return _coarsen(image, rng.uniform(1.2, settings.coarsening))
    return image.filter(ImageFilter.UnsharpMask(radius=1.5, percent=int(100 * rng.uniform(0.3, settings.sharpening)), threshold=0))


def _frame(
    image: Image.Image,
    width: float,
    height: float,
    at: tuple[float, float],
    angle_deg: float = 0.0,
    mirrored: bool = False,
    side_px: int | None = None,
) -> Image.Image:
    """Cut a window out, turned and mirrored, and stretch it to the picture's size or to a square of `side_px`.

    Sizes and `at` are fractions; outside is black.
    """
    full_x, full_y = image.size
    wide, high = image.size if side_px is None else (side_px, side_px)
    centre_x = full_x * (width / 2 + at[0] * (1.0 - width))
    centre_y = full_y * (height / 2 + at[1] * (1.0 - height))
    cos, sin = float(np.cos(np.deg2rad(angle_deg))), float(np.sin(np.deg2rad(angle_deg)))
    side = -1.0 if mirrored else 1.0
    a, b = width * cos * side * full_x / wide, -height * sin * full_y / high
    d, e = width * sin * side * full_x / wide, height * cos * full_y / high
    coefficients = (a, b, centre_x - (a * wide + b * high) / 2, d, e, centre_y - (d * wide + e * high) / 2)
    return image.transform((wide, high), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)


def _tone(image: Image.Image, brightness: float = 0.0, contrast: float = 1.0, gamma: float = 1.0) -> Image.Image:
    """Change exposure through a table of 256 levels; brightness is a fraction of the range."""
    levels = (np.arange(256, dtype=np.float64) / 255.0) ** gamma
    changed = np.clip((levels - 0.5) * contrast + 0.5 + brightness, 0.0, 1.0)
    return image.point([round(255.0 * float(value)) for value in changed])


def _coarsen(image: Image.Image, factor: float) -> Image.Image:
    """Lose resolution: down by `factor`, up again."""
    small = (max(8, round(image.width / factor)), max(8, round(image.height / factor)))
    return image.resize(small, Image.Resampling.BILINEAR).resize(image.size, Image.Resampling.BICUBIC)


def _noise(image: Image.Image, rng: Random, levels: float) -> Image.Image:
    """Add Gaussian grain with a standard deviation of `levels` grey levels."""
    grain = rng.standard_normal((image.height, image.width), dtype=np.float32) * np.float32(levels)
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.float32) + grain, 0.0, 255.0).astype(np.uint8))


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as encoded:
        return encoded.convert("L")


_CHANGES: Final[dict[str, Callable[[Image.Image, Random], Image.Image]]] = {
    "plain": lambda image, rng: image,
    "tight crop": lambda image, rng: _frame(image, 0.8, 0.8, (rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.75))),
    "rotation": lambda image, rng: _frame(image, 1.0, 1.0, (0.5, 0.5), rng.choice([-6.0, 6.0])),
    "brighter": lambda image, rng: _tone(image, brightness=0.12),
    "darker": lambda image, rng: _tone(image, brightness=-0.12),
    "gamma": lambda image, rng: _tone(image, gamma=float(rng.choice([0.75, 1.35]))),
    "contrast": lambda image, rng: _tone(image, contrast=float(rng.choice([0.75, 1.3]))),
    "blur": lambda image, rng: image.filter(ImageFilter.GaussianBlur(1.0)),
    "coarse": lambda image, rng: _coarsen(image, 1.8),
    "sharp": lambda image, rng: image.filter(ImageFilter.UnsharpMask(radius=1.5, percent=100, threshold=0)),
    "jpeg": lambda image, rng: _jpeg(image, 35),
    "noise": lambda image, rng: _noise(image, rng, 6.0),
}
SHIFTS: Final = tuple(_CHANGES)
"""The names of the simulated shifts; "plain" is the picture as it is."""


def shift(grey: Grey, name: str, seed: int) -> Grey:
    """Return the picture under one simulated shift, the same for the same seed.

    Args:
        grey: uint8 array (height, width), values in [0, 255].
        name: one of SHIFTS.
        seed: whole number >= 0.

    Returns:
        uint8 array (height, width).
    """
    return np.asarray(_CHANGES[name](Image.fromarray(grey), np.random.default_rng(seed)))
