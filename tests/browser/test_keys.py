"""Behind keys: the page loads without one, asks once, and keeps it in memory alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import FilePayload, Page, expect

from core import phantom
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.contract.doors import HttpDoor

FUNCTION_KEY, API_KEY = "a-function-key", "an-api-key"


@pytest.fixture
def azure_door(serve: Serve) -> HttpDoor:
    return serve("azure", {}, "--enable-auth", "--key", FUNCTION_KEY)


@pytest.fixture
def keyed_door(serve: Serve) -> HttpDoor:
    return serve("google", {"PNEUMONIA_API_KEY": API_KEY})


@contextmanager
def watched(page: Page) -> Iterator[list[str]]:
    """The addresses that are asked for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield asked


def give_key(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")


def check_nothing_is_kept(page: Page, key: str) -> None:
    kept = page.evaluate("() => JSON.stringify([location.href, document.cookie, {...localStorage}, {...sessionStorage}, history.state])")
    assert key not in kept
    assert page.context.cookies() == []
    assert key not in page.content()


def test_page_behind_function_keys_asks_once_and_reads(open_page: Open, azure_door: HttpDoor) -> None:
    page = open_page(azure_door)

    with watched(page) as asked:
        expect(page.get_by_role("dialog")).to_contain_text("Function key")
        check_accessibility(page)
        shoot(page, "key")
        give_key(page, FUNCTION_KEY)
        page.get_by_role("button", name="Try the sample").click()
        expect(page.get_by_role("article").locator(".verdict")).to_have_text("Pneumonia unlikely")

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert [url for url in asked if FUNCTION_KEY in url] == []
    check_nothing_is_kept(page, FUNCTION_KEY)
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_wrong_function_key_is_said_and_asked_again(open_page: Open, azure_door: HttpDoor) -> None:
    page = open_page(azure_door)

    give_key(page, "wrong")

    expect(page.get_by_text("That key was not accepted. Try another.")).to_be_visible()
    give_key(page, FUNCTION_KEY)
    expect(page.get_by_label("Operating point", exact=True)).to_have_value("balanced")


def test_key_may_be_declined_and_given_later(open_page: Open, azure_door: HttpDoor) -> None:
    page = open_page(azure_door)
    expect(page.get_by_role("dialog")).to_be_visible()

    page.keyboard.press("Escape")
    expect(page.locator("#model-problem")).to_contain_text("The service wants a key.")
    page.get_by_role("button", name="Enter the key").click()
    give_key(page, FUNCTION_KEY)

    expect(page.get_by_label("Operating point", exact=True)).to_have_value("balanced")
    expect(page.locator("#model-problem")).to_be_empty()
    expect(page.get_by_role("button", name="Enter the key")).to_be_hidden()


def test_key_in_the_address_is_taken_out_of_it(open_page: Open, azure_door: HttpDoor) -> None:
    page = open_page(azure_door, f"/?code={FUNCTION_KEY}#about")

    expect(page.get_by_role("tab", name="Model")).to_have_attribute("aria-selected", "true")
    assert page.url.endswith("/#about")
    page.get_by_role("tab", name="Read").click()
    expect(page.get_by_label("Operating point", exact=True)).to_have_value("balanced")
    check_nothing_is_kept(page, FUNCTION_KEY)


def test_several_pictures_behind_an_api_key_ask_once(open_page: Open, keyed_door: HttpDoor) -> None:
    page = open_page(keyed_door)
    expect(page.get_by_label("Operating point", exact=True)).to_have_value("balanced")

    picture: FilePayload = {"name": "one.jpg", "mimeType": "image/jpeg", "buffer": phantom.jpeg()}
    page.locator("#files").set_input_files([picture] * 4)
    expect(page.get_by_role("dialog")).to_contain_text("API key")
    give_key(page, API_KEY)
    expect(page.locator("#shelf-count")).to_have_text("4 read")
    expect(page.get_by_role("article").locator(".verdict")).to_have_text("Pneumonia unlikely")

    expect(page.get_by_role("dialog")).to_be_hidden()
    check_nothing_is_kept(page, API_KEY)


def test_declined_api_key_is_an_error_of_the_picture_until_it_is_given(open_page: Open, keyed_door: HttpDoor) -> None:
    page = open_page(keyed_door)
    page.get_by_role("button", name="Try the sample").click()
    page.get_by_role("button", name="Cancel").click()
    article = page.get_by_role("article")
    expect(article.get_by_text("unauthorized")).to_be_visible()

    article.get_by_role("button", name="Read again").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Enter the key").click()
    give_key(page, API_KEY)

    expect(article.locator(".verdict")).to_have_text("Pneumonia unlikely")


def test_both_keys_go_to_a_service_that_wants_both(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("azure", {"PNEUMONIA_API_KEY": API_KEY}, "--enable-auth", "--key", FUNCTION_KEY))

    give_key(page, FUNCTION_KEY)
    page.get_by_role("button", name="Try the sample").click()
    expect(page.get_by_role("dialog")).to_contain_text("API key")
    give_key(page, API_KEY)

    expect(page.get_by_role("article").locator(".verdict")).to_have_text("Pneumonia unlikely")
