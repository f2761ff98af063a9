"""The shell of the page: it loads, obeys its policy, and its tabs work by keyboard."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Serve, check_accessibility


def test_page_loads_from_its_own_origin_alone(open_page: Open, serve: Serve) -> None:
    door = serve()
    page = open_page(door)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload(wait_until="networkidle")

    assert asked
    assert [url for url in asked if not url.startswith((f"http://127.0.0.1:{door.port}/", "data:", "blob:"))] == []


def test_tabs_move_by_arrow_keys(open_page: Open, serve: Serve) -> None:
    page = open_page(serve())

    page.get_by_role("tab", name="Read").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("tab", name="Model")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Model")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Read")).to_be_hidden()
    page.keyboard.press("End")
    expect(page.get_by_role("tabpanel", name="Manage")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tabpanel", name="Read")).to_be_visible()


@pytest.mark.parametrize("tab", ["about", "manage"])
def test_a_tab_has_an_address(open_page: Open, serve: Serve, tab: str) -> None:
    page = open_page(serve(), f"/#{tab}")

    expect(page.locator(f"#panel-{tab}")).to_be_visible()
    page.reload()
    expect(page.locator(f"#panel-{tab}")).to_be_visible()


def test_first_tab_does_not_flash_before_the_one_that_was_asked_for(open_page: Open, serve: Serve) -> None:
    page = open_page(serve())
    page.add_init_script(
        """new MutationObserver(() => {
             const panel = document.getElementById("panel-read");
             if (panel && !panel.hidden && getComputedStyle(panel).visibility !== "hidden") window.flashed = true;
           }).observe(document, { childList: true, subtree: true });"""
    )

    page.reload()
    expect(page.locator("#panel-read")).to_be_visible()
    assert page.evaluate("() => window.flashed")
    page.goto("about:blank")
    page.goto(f"http://127.0.0.1:{serve().port}/#about")
    expect(page.locator("#panel-about")).to_be_visible()
    assert not page.evaluate("() => window.flashed")
    page.get_by_role("tab", name="Read").click()
    expect(page.locator("#panel-read")).to_be_visible()


@pytest.mark.parametrize("address", ["/pneumonia", "/pneumonia/"])
def test_page_works_below_a_prefix(open_page: Open, serve: Serve, address: str) -> None:
    """As on Google, where the function's name may be the first part of the path, and is not shown to the function."""
    door = serve()
    page = open_page(door)
    strip = re.compile(r"/pneumonia/?")
    page.route(strip, lambda route: route.fulfill(response=route.fetch(url=strip.sub("/", route.request.url))))

    page.goto(f"http://127.0.0.1:{door.port}{address}")
    page.get_by_role("button", name="Try the sample").click()

    expect(page.get_by_role("article").locator(".verdict")).to_have_text("Pneumonia unlikely")
    page.get_by_role("link", name="The routes").click()
    expect(page).to_have_url(f"http://127.0.0.1:{door.port}/pneumonia/docs")
    page.unroute_all(behavior="ignoreErrors")  # what that page still asks for, while its context closes


def test_everything_is_reached_by_keyboard_alone(open_page: Open, serve: Serve) -> None:
    page = open_page(serve())
    expect(page.locator("#cannot")).to_be_visible()

    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["Skip to the content", "tab-read", "choose", "sample", "point"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article").locator(".verdict")).to_have_text("Pneumonia unlikely")

    page.locator("#point").focus()
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent"))
    assert reached == [
        "Heat map",
        "Contrast (window)",
        "Brightness (level)",
        "Reset the view",
        "The answer as JSON",
        "JSON",
        "CSV",
        "Print",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_of_the_shell(open_page: Open, serve: Serve, scheme: str) -> None:
    check_accessibility(open_page(serve(), color_scheme=scheme))
