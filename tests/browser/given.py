"""Pictures that a person gives to the page, and what the page then shows."""

import io
import math
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from core import phantom
from tests.support.pictures import encode


def payload(name: str, data: bytes, kind: str = "application/octet-stream") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


SOUND = payload("one.jpg", phantom.jpeg(), "image/jpeg")
ANOTHER = payload("two.png", encode(Image.open(io.BytesIO(phantom.jpeg())), "PNG"), "image/png")
TEXT = payload("notes.txt", b"this is not a picture", "text/plain")


def percent(value: float) -> str:
    """A share as the page writes it, half rounded up as JavaScript does."""
    return f"{math.floor(1000 * value + 0.5) / 10:.1f}\u00a0%"


def give(page: Page, *files: FilePayload) -> None:
    page.locator("#files").set_input_files(list(files))


def wait_until_read(page: Page) -> None:
    expect(page.locator("#shelf-count")).to_have_text(re.compile(r"^\d+ (read|refused|could not be read)(, |$)"))
    expect(page.locator("#view article").first).to_be_visible()


def row(page: Page, name: str) -> str:
    return page.locator("#shelf li", has_text=name).locator(".state").inner_text()


def canvas_colours(page: Page) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Red, green and blue of the one picture that is looked at, as the page has drawn it."""
    canvas = page.get_by_role("img", name=re.compile("^Picture"))
    width, height = canvas.evaluate("canvas => [canvas.width, canvas.height]")
    values = canvas.evaluate("canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)")
    return np.array(values, dtype=np.float64).reshape(height, width, 4)[:, :, :3]


def saved(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes().decode()
