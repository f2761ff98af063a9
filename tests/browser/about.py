"""The tab on the model, opened on a package, and waiting for what it draws."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Serve


def opened(open_page: Open, serve: Serve, folder: Path, **context: Any) -> Page:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(folder)}), "/#about", **context)
    expect(page.get_by_role("heading", name="Operating points")).to_be_visible()
    return page


def drawn(page: Page, inside: str) -> int:
    """Wait until the images in an element are there; return how many."""
    page.wait_for_function(
        "inside => [...document.querySelectorAll(`${inside} img`)].every(image => image.complete && image.naturalWidth > 0)", arg=inside
    )
    return page.locator(f"{inside} img").count()
