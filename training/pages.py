"""Reports as one self-contained HTML file: sections with sentences, tables and figures. Called by `explore`, `evaluate` and `compare`.

Figures are Matplotlib's, put into the page as PNG; no script, no outside asset, so that a report can be mailed and opened years later.
"""

import base64
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import jinja2
from matplotlib.figure import Figure

from core.contract import NOTICE

DPI: Final = 110
_FOLDER: Final = Path(__file__).parent / "templates"


class Picture(NamedTuple):
    """A figure of a section; `alt` says in words what it shows."""

    figure: Figure
    alt: str


class Table(NamedTuple):
    """Cells as text; numbers are formatted by whoever knows their unit."""

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


class Section(NamedTuple):
    """One heading with what stands below it, in this order: sentences, tables, pictures."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()


def render(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return a page.

    Args:
        title: the page's title and first heading.
        lead: one or two sentences below it.
        sections: what follows, each in the table of contents.
    """
    shown = [(section, [(_data_url(picture.figure), picture.alt) for picture in section.pictures]) for section in sections]
    return _template().render(title=title, lead=lead, notice=NOTICE, sections=shown)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, bbox_inches="tight")
    return stream.getvalue()


def _data_url(figure: Figure) -> str:
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html")
