"""The worst mistakes of an evaluation as a figure: the picture, and beside it the same below the heat map that a user would see, if any."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from core import images
from core.classifier import Classifier
from core.manifest import Manifest, OperatingPoint
from core.shares import percent
from training.evaluation import Mistake

MOST: Final = 9
"""Of each sort."""
SORTS: Final = (("pneumonia", "missed"), ("normal", "false alarms"))
"""The truth of each sort, and what it is called."""
_A_ROW: Final = 3
_TILE_PX: Final = 240


def beside(manifest: Manifest) -> str:
    """Return what a caption says of what stands beside each picture; nothing of a network without class activation maps."""
    return ", each beside its heat map" if manifest.class_activation_maps else ""


def draw(mistakes: Sequence[tuple[Mistake, Path]], classifier: Classifier, point: OperatingPoint, named: bool = True) -> Figure:
    """Draw up to MOST pictures, three a row, each beside its heat map where the network has class activation maps.

    Args:
        mistakes: what was called wrong, and the file of each.
        classifier: the package that did.
        point: the operating point that decided.
        named: write the name of the file above each; it may tell who the patient is.
    """
    shown = mistakes[:MOST]
    rows, columns = -(-len(shown) // _A_ROW), min(len(shown), _A_ROW)
    views = 2 if classifier.manifest.class_activation_maps else 1
    figure = Figure(figsize=(1.6 * views * columns, 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, views * columns, squeeze=False)
    for each in axes.flat:
        each.set_axis_off()
    for (mistake, file), cells in zip(shown, axes.reshape(-1, views), strict=False):
        for cell, view in zip(cells, _views(file.read_bytes(), classifier, point), strict=True):
            cell.imshow(view)
        name = f"{mistake.file.rpartition('/')[2]}\n" if named else ""
        cells[0].set_title(f"{name}{percent(mistake.probability)}, {mistake.decision}", fontsize=6.5, loc="left")
    return figure


def _views(data: bytes, classifier: Classifier, point: OperatingPoint) -> list[Image.Image]:
    """Return a small copy of the picture, and the same below the heat map of its answer where there is one."""
    picture = images.decode(data, draft_px=(_TILE_PX, _TILE_PX))
    plain = Image.fromarray(np.asarray(picture.grey).astype(np.uint8)).convert("RGBA")
    plain.thumbnail((_TILE_PX, _TILE_PX))
    explanation = classifier.classify(data, point, "evaluate", images.MAX_PIXELS, explain=True).explanation
    if explanation is None:
        return [plain]
    with Image.open(io.BytesIO(base64.b64decode(explanation.heatmap_png_b64))) as heatmap:
        return [plain, Image.alpha_composite(plain, heatmap.convert("RGBA").resize(plain.size))]
