"""The shell of the page: it loads, obeys its policy, and its tabs work by keyboard."""

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_of_the_shell(open_page: Open, serve: Serve, scheme: str) -> None:
    check_accessibility(open_page(serve(), color_scheme=scheme))
