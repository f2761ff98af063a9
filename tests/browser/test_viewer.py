"""The view of a picture: decoded as the service decodes it, with window, level and heat map."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.given import canvas_colours, give, payload, wait_until_read
from tests.contract.doors import HttpDoor
from tests.support.pictures import chest, encode, exif, lying, png


def shown(page: Page) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The grey values on the page."""
    return canvas_colours(page)[:, :, 0]


def test_window_level_and_heat_map_follow_drag_and_keys(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door, expected="willReadFrequently")  # this test reads the canvas often, the page does not
    page.get_by_role("button", name="Try the sample").click()
    canvas = page.get_by_role("img", name=re.compile("^Picture"))
    pixel = "canvas => canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0]"
    before = canvas.evaluate(pixel)
    box = canvas.bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 160, steps=3)
    page.mouse.up()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    darker = canvas.evaluate(pixel)
    assert darker < before - 30

    page.get_by_role("slider", name="Brightness").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert canvas.evaluate(pixel) == pytest.approx(darker + 20, abs=2)
    page.get_by_role("slider", name="Contrast").press("End")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert canvas.evaluate(pixel) in (0, 255)

    heatmap = page.get_by_role("img", name=re.compile("^Heat map"))
    page.get_by_role("slider", name="Heat map").press("Home")
    expect(heatmap).to_have_css("opacity", "0")
    page.get_by_role("button", name="Reset the view").click()
    expect(heatmap).to_have_css("opacity", "1")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert canvas.evaluate(pixel) == pytest.approx(before, abs=1)


def deep(bits: int) -> bytes:
    """A picture of some bits in a container of 16, which a browser by itself would show nearly black."""
    return png((chest() * ((2**bits - 1) / 255)).astype(np.uint16), 16)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode(chest(), "PNG"), id="PNG"),
        pytest.param(encode(chest(), "BMP"), id="BMP"),
        pytest.param(encode(chest(), "TIFF"), id="TIFF, which browsers do not decode"),
        pytest.param(deep(12), id="12 bits in 16"),
        pytest.param(encode(lying(6), "JPEG", quality=95, exif=exif(6)), id="lying on its side"),
    ],
)
def test_picture_is_shown_as_the_service_reads_it(open_page: Open, door: HttpDoor, data: bytes) -> None:
    page = open_page(door)

    give(page, payload("scan", data))
    wait_until_read(page)

    picture = shown(page)
    assert picture.shape == chest().shape
    assert np.abs(picture - chest()).mean() < 1.5
