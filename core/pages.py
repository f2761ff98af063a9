"""The pages that the service itself serves: files beside this one, no outside asset, a strict Content-Security-Policy."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_FOLDER: Final = Path(__file__).parent / "static"


class Page(NamedTuple):
    """A page and the headers that it needs."""

    html: bytes
    headers: Mapping[str, str]


@cache
def docs() -> Page:
    """Return the page that explains the routes and tries them."""
    html = (_FOLDER / "docs.html").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash_of(html, 'script')}; style-src {_hash_of(html, 'style')}; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html.encode(), {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})


def _hash_of(html: str, element: str) -> str:
    """Return the CSP source of the page's one inline element: browsers run it, and nothing that was slipped in."""
    content = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
