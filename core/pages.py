"""The pages that the service itself serves: files beside this one, no outside asset, a strict Content-Security-Policy.

The web page is written as small files (`static/page`) and sent as one: `shell.html` names the others where they go in. The scripts are
ECMAScript modules of one line `import`s; in the page they are one module, and so the imports fall away.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_FOLDER: Final = Path(__file__).parent / "static"
_INCLUDE: Final = re.compile(r"^(?:<!--|/\*) include: ([\w.-]+) (?:-->|\*/)\n", re.MULTILINE)
_IMPORT: Final = re.compile(r"^import [^;\n]*;\n", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)  # on lines of their own: a tenth of the page
_EXPORT: Final = re.compile(r"^export (?=(?:async )?function|class|const)", re.MULTILINE)
_INLINE: Final = re.compile(r"<(script|style)(?: [^>]*)?>(.*?)</\1>", re.DOTALL)


class Page(NamedTuple):
    """A page and the headers that it needs."""

    html: bytes
    headers: Mapping[str, str]


@cache
def web() -> Page:
    """Return the web page, put together from its files."""
    return _page(_INCLUDE.sub(lambda match: _read(match[1]), _read("shell.html")))


@cache
def docs() -> Page:
    """Return the page that explains the routes and tries them."""
    return _page((_FOLDER / "docs.html").read_text("utf-8"))


def _read(name: str) -> str:
    """Return a file of the web page as it goes into the whole."""
    text = (_FOLDER / "page" / name).read_text("utf-8")
    return _EXPORT.sub("", _IMPORT.sub("", _COMMENT.sub("", text))) if name.endswith(".js") else text


def _page(html: str) -> Page:
    policy = (
        f"default-src 'none'; script-src {_hashes_of(html, 'script')}; style-src {_hashes_of(html, 'style')}; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html.encode(), {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})


def _hashes_of(html: str, element: str) -> str:
    """Return the CSP sources of the page's inline elements: browsers run them, and nothing that was slipped in."""
    contents = [content for name, content in _INLINE.findall(html) if name == element]
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" for content in contents)
