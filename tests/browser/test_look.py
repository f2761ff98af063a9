"""How the page that reads pictures looks, to eyes and to a screen reader, and how quickly it answers."""

import logging
from time import perf_counter

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, check_accessibility, shoot
from tests.browser.given import ANOTHER, TEXT, give, wait_until_read
from tests.contract.doors import HttpDoor

LOGGER = logging.getLogger(__name__)
WIDTHS = (360, 820, 1440)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_accessibility_and_look(open_page: Open, door: HttpDoor, scheme: str, width: int) -> None:
    page = open_page(door, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#cannot")).to_be_visible()
    check_accessibility(page)
    shoot(page, f"read-empty-{width}-{scheme}")

    page.get_by_role("button", name="Try the sample").click()
    wait_until_read(page)
    check_accessibility(page)
    shoot(page, f"read-sample-{width}-{scheme}")

    give(page, ANOTHER, TEXT)
    wait_until_read(page)
    page.get_by_role("button", name="notes.txt").click()
    check_accessibility(page)
    shoot(page, f"read-several-{width}-{scheme}")
    page.get_by_role("checkbox", name="Compare Sample").check()
    page.get_by_role("checkbox", name="Compare two.png").check()
    expect(page.get_by_role("article")).to_have_count(2)
    check_accessibility(page)
    shoot(page, f"read-compare-{width}-{scheme}")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


@pytest.mark.measures
def test_heat_map_of_the_sample_comes_quickly(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    expect(page.locator("#cannot")).to_be_visible()
    start = perf_counter()

    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("img", name="Heat map").wait_for()

    seconds = perf_counter() - start
    LOGGER.info("%.2f s from the click to the heat map", seconds)
    assert seconds < 10.0


def test_page_does_not_jump_while_it_loads(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    expect(page.locator("#cannot")).to_be_visible()

    shifted = page.evaluate(
        """() => new Promise((done) => {
          const observer = new PerformanceObserver((list) => done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)));
          observer.observe({ type: "layout-shift", buffered: true });
          requestAnimationFrame(() => requestAnimationFrame(() => done(0)));
        })"""
    )

    assert shifted < 0.005
