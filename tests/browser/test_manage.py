"""The tab for who looks after the model: token, uploads, retraining, promotion, and what is off and why."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.browser.managing import TOKEN, Ground, unlock, unlocked
from tests.support import living

WIDTHS = (360, 820, 1440)


def test_a_wrong_token_opens_nothing_and_is_said(open_page: Open, ground: Ground) -> None:
    page = open_page(ground.door, "/#manage")
    unlock(page, "wrong")

    expect(page.get_by_text("That token was not accepted.")).to_be_visible()
    expect(page.get_by_label("Admin token")).to_be_focused()
    expect(page.locator("#manage-open")).to_be_hidden()
    unlock(page, "wörter")
    expect(page.get_by_text("only ASCII")).to_be_visible()
    unlock(page, "")
    expect(page.get_by_text("Enter the token first.")).to_be_visible()
    check_accessibility(page)
    shoot(page, "manage-locked")


def test_the_token_is_forgotten_by_its_button_and_on_reload(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    assert page.get_by_label("Admin token").input_value() == ""
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
    assert TOKEN not in kept
    assert TOKEN not in page.content()

    page.get_by_role("button", name="Forget the token").click()
    expect(page.locator("#manage-open")).to_be_hidden()
    expect(page.get_by_label("Admin token")).to_be_focused()
    unlock(page)
    expect(page.locator("#manage-open")).to_be_visible()
    page.reload()
    expect(page.locator("#manage-open")).to_be_hidden()
    expect(page.get_by_label("Admin token")).to_be_visible()


def test_without_a_token_the_tab_says_that_it_is_off_and_why(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#manage")

    expect(page.get_by_text("Managing is off here")).to_be_visible()
    expect(page.get_by_text("PNEUMONIA_ADMIN_TOKEN").first).to_be_visible()
    expect(page.get_by_label("Admin token")).to_be_hidden()
    check_accessibility(page)
    shoot(page, "manage-off")


def test_without_a_store_the_tab_says_what_is_off(open_page: Open, serve: Serve) -> None:
    page = unlocked(open_page, serve("google", {"PNEUMONIA_ADMIN_TOKEN": TOKEN}))

    expect(page.get_by_text("There is no store: PNEUMONIA_STORE is not set")).to_be_visible()
    for heading in ("Upload labelled pictures", "Retrain", "Promote and roll back"):
        expect(page.get_by_role("heading", name=heading)).to_be_hidden()


def test_without_a_model_uploads_are_off(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    environ = {"PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_MODEL": "nowhere"}
    page = unlocked(open_page, serve("google", environ))

    expect(page.get_by_text("No model serves, so its labels are not known")).to_be_visible()
    expect(page.get_by_role("heading", name="Upload labelled pictures")).to_be_hidden()
    expect(page.get_by_text("Nobody starts jobs by themselves here")).to_be_visible()


def test_a_store_that_is_down_is_said_where_it_matters(open_page: Open, serve: Serve) -> None:
    environ = {"PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_STORE": "file:///dev/null/store"}
    page = unlocked(open_page, serve("google", environ))

    expect(page.locator("#manage-versions")).to_contain_text("store_unavailable")
    page.get_by_role("button", name="Start a retraining").click()
    expect(page.locator("#manage-retrain-problem")).to_contain_text("store_unavailable")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_fits_every_width(open_page: Open, ground: Ground, tmp_path: Path, width: int) -> None:
    living.promote(ground.store, living.push(ground.store, tmp_path, "9.0.0", 2.0))
    page = unlocked(open_page, ground.door, viewport={"width": width, "height": 900})
    expect(page.locator("#manage-versions")).to_contain_text("9.0.0 is active")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_accessibility(page)
    shoot(page, f"manage-{width}")


def test_behind_an_api_key_the_versions_ask_for_it_once(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    environ = {"PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_API_KEY": "an-api-key"}
    page = unlocked(open_page, serve("google", environ))
    expect(page.get_by_role("dialog")).to_contain_text("API key")
    page.get_by_role("dialog").get_by_role("textbox").fill("an-api-key")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Nothing was promoted yet")).to_be_visible()


def test_leaving_the_page_forgets_the_token_even_where_the_browser_keeps_the_page(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")

    expect(page.locator("#manage-open")).to_be_hidden()
    with page.expect_request("**/manage") as asked:
        page.get_by_label("Admin token").fill("another")
        page.keyboard.press("Enter")
    assert asked.value.headers["x-admin-token"] == "another"


def test_everything_is_reached_by_keyboard(open_page: Open, ground: Ground) -> None:
    page = open_page(ground.door, "/#manage")
    page.get_by_role("tab", name="Manage").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Admin token")).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Manage", exact=True)).to_be_focused()
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    wanted = ["manage-label", "manage-files", "manage-send", "manage-start"]
    assert [name for name in dict.fromkeys(reached) if name in wanted] == wanted
