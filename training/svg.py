"""Figures as SVG, for the report of a package: small, legible on light and dark pages, and the same bytes for the same figure.

SVG, since a package lies in a repository and its card is read in a browser: text stays text, a change shows as a change of lines, and a
figure cannot hold a patient's picture unseen. Called by `training.report`.
"""

import io
import re
from typing import Any, Final

import matplotlib
from matplotlib.figure import Figure

# Text is measured in the first, which Matplotlib brings along. Verdana has its widths; the others are narrower, so nothing overlaps.
_FONTS: Final = ["DejaVu Sans", "Verdana", "Helvetica", "Arial"]
_SETTINGS: Final[dict[Any, Any]] = {"svg.fonttype": "none", "svg.hashsalt": "pneumonia", "font.sans-serif": _FONTS}
_MARGIN_IN: Final = 0.1
_COORDINATES: Final = re.compile(rb' (?:d|x|y|transform|points)="[^"]*"')
_LONG_NUMBER: Final = re.compile(rb"(\.\d\d)\d+")
_BREAK: Final = re.compile(rb"\s*\n")
_FAMILY: Final = re.compile(rb" font-family: ([^;]*);")
_NO_TURN: Final = re.compile(rb' transform="rotate\(-0 [^"]*\)"')
_RASTER: Final = re.compile(rb"<image|data:image", re.IGNORECASE)


def svg(figure: Figure, title: str) -> bytes:
    """Return a figure as SVG on white ground.

    Args:
        figure: of lines, areas and text.
        title: what it shows, for those who do not see it.

    Raises:
        ValueError: the figure holds a raster image.
    """
    stream, metadata = io.BytesIO(), {"Title": title, "Date": None, "Creator": None}
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(stream, format="svg", facecolor="white", bbox_inches="tight", pad_inches=_MARGIN_IN, metadata=metadata)
    # A hundredth of a point is less than any screen shows; Matplotlib writes a millionth, and a line for each corner.
    drawn = _COORDINATES.sub(lambda found: _BREAK.sub(b" ", _LONG_NUMBER.sub(rb"\1", found[0])), stream.getvalue())
    drawn = _one_family(_NO_TURN.sub(b"", drawn))
    if _RASTER.search(drawn):
        raise ValueError("Invalid figure: expected lines, areas and text. Received: a raster image.")
    return b"\n".join(line.strip() for line in drawn.splitlines()) + b"\n"


def _one_family(drawn: bytes) -> bytes:
    """Name the fonts once, not at each text."""
    family = _FAMILY.search(drawn)
    if family is None:
        return drawn
    return _FAMILY.sub(b"", drawn).replace(b"</style>", b"text{font-family: " + family[1] + b"}</style>", 1)
