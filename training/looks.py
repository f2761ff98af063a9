"""How one picture looks as a file: size, brightness, sharpness, what no radiologist would look at. Called by `survey` and by `answers`.

A network finds these first where they tell the class, as they do in the public set; so `explore` measures how far, and `evaluate` whether a
model leans on them.
"""

import io
from typing import Final

import msgspec
import numpy as np
from PIL import Image

from core.grey import Grey
from core.images import Picture
from core.manifest import InputContract
from training.pictures import GreyStack, shrink

COMPARED_PX: Final = 224
"""Sharpness, brightness and compressed size are measured at one size, the one that networks see: else they would measure the size."""
EDGE_LEVELS: Final = 12.0
"""Grey levels a pixel from which a gradient counts as an edge: above the grain, below a rib's outline."""
BLACK_LEVELS: Final = 4
JPEG_QUALITY: Final = 75

COMPARED: Final = InputContract(
    height_px=COMPARED_PX, width_px=COMPARED_PX, channels=1, low=0.0, high=255.0, resample="bilinear", draft_margin=0.0
)


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one file; those of grey levels are of the picture at COMPARED_PX."""

    bytes: int
    width_px: int
    height_px: int
    brightness: float
    """Mean grey level, 0 to 255."""
    contrast: float
    """Standard deviation of the grey levels."""
    black_share: float
    """Share of the pixels below grey level 4: what lies beside the child, or was collimated away."""
    sharpness: float
    """Variance of the discrete Laplacian (Pech-Pacheco et al., ICPR 2000)."""
    edge_density: float
    """Share of the pixels whose gradient is at least EDGE_LEVELS."""
    jpeg_bytes: int
    """Size as a JPEG of COMPARED_PX and JPEG_QUALITY: what the file's size would be, had all been stored alike."""

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width_px / self.height_px

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width_px * self.height_px


def compared(grey: Grey) -> GreyStack:
    """Bring one grey picture (height, width), values in [0, 255], to the size of comparison: uint8 array (COMPARED_PX, COMPARED_PX)."""
    return shrink(grey, COMPARED)


def look(decoded: Picture, grey: GreyStack, size_bytes: int) -> Looks:
    """Measure one picture.

    Args:
        decoded: for the original's width and height.
        grey: the same at the size of comparison, as `compared` returns it.
        size_bytes: of the file.
    """
    return Looks(
        bytes=size_bytes,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        black_share=float(np.mean(grey < BLACK_LEVELS)),
        sharpness=_sharpness(grey),
        edge_density=_edge_density(grey),
        jpeg_bytes=_jpeg_bytes(grey),
    )


def _sharpness(grey: GreyStack) -> float:
    levels = grey.astype(np.int16)
    middle = levels[1:-1, 1:-1]
    laplacian = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:] - 4 * middle
    return float(laplacian.var())


def _edge_density(grey: GreyStack) -> float:
    levels = grey.astype(np.float32)
    across, down = levels[1:-1, 2:] - levels[1:-1, :-2], levels[2:, 1:-1] - levels[:-2, 1:-1]
    return float(np.mean(np.hypot(across, down) / 2.0 >= EDGE_LEVELS))


def _jpeg_bytes(grey: GreyStack) -> int:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.tell()
