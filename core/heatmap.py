"""Where in the picture the network saw pneumonia, as a PNG to lay over the upright original.

The strongest cell has the picture's own probability of pneumonia, the others their share of it. A normal chest therefore stays clear,
instead of being stretched until something glows, and in a clear pneumonia the map still tells one place from another.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.network import Floats

METHOD: Final = "class activation map"
LONGEST_SIDE_PX: Final = 512  # the maps have 7 x 7 cells: more pixels would only be more bytes
# Yellow to vermilion of Okabe and Ito's palette (jfly.uni-koeln.de/color, 2002), told apart in all common colour vision deficiencies.
_FAINT: Final = np.array([240.0, 228.0, 66.0])
_STRONG: Final = np.array([213.0, 94.0, 0.0])
_MOST_OPAQUE: Final = 128.0  # of 255, so that the lung stays visible below


def evidence(maps: Floats, negative: int, probability: float) -> npt.NDArray[np.float64]:
    """Turn class activation maps into local evidence for pneumonia.

    A cell speaks for pneumonia by how far the logits of its kinds, taken together, lie above that of the negative label.

    Args:
        maps: float32 array (h, w, K), logits of each cell.
        negative: index of the negative label.
        probability: the picture's calibrated probability of pneumonia, in [0, 1].

    Returns:
        float64 array (h, w), values in [0, probability].
    """
    logits = maps.astype(np.float64)
    kinds = np.delete(logits, negative, axis=2)
    highest = kinds.max(axis=2)
    together = highest + np.log(np.exp(kinds - highest[:, :, np.newaxis]).sum(axis=2))  # the logarithm of a sum of exponentials
    margin = np.maximum(together - logits[:, :, negative], 0.0)
    local: npt.NDArray[np.float64] = probability * margin / max(float(margin.max()), 1e-12)
    return local


def render(cells: npt.NDArray[np.float64], width_px: int, height_px: int, offset: tuple[float, float] = (0.0, 0.0)) -> bytes:
    """Draw local evidence as a PNG with alpha in the proportions of the upright original, its longest side `LONGEST_SIDE_PX` or less.

    Args:
        cells: float64 array (h, w), values in [0, 1].
        width_px: width of the upright original.
        height_px: height of the upright original.
        offset: how far, down and right, what a cell looks at lies beyond the cell's own place; in cells, within [-1, 1].
    """
    scale = min(1.0, LONGEST_SIDE_PX / max(width_px, height_px))
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    rows, columns = cells.shape
    framed = Image.fromarray(np.pad(cells.astype(np.float32), 1, "edge"))  # nothing is known beyond the outermost cells: they go on
    down, right = offset
    box = (1 - right, 1 - down, 1 - right + columns, 1 - down + rows)
    smooth = framed.resize(size, Image.Resampling.BICUBIC, box)
    strength = np.clip(np.asarray(smooth), 0.0, 1.0)[:, :, np.newaxis]
    pixels = np.concatenate([_FAINT + strength * (_STRONG - _FAINT), strength * _MOST_OPAQUE], axis=2)
    stream = io.BytesIO()
    Image.fromarray(np.rint(pixels).astype(np.uint8), "RGBA").save(stream, "PNG")
    return stream.getvalue()
