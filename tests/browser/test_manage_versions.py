"""Versions in the page: promoted and gone back from, with a reason and a second look."""

from pathlib import Path

from playwright.sync_api import expect

from core import promotions
from tests.browser.conftest import Open, check_accessibility, shoot
from tests.browser.managing import Ground, unlocked
from tests.support import living, packages


def test_a_version_is_promoted_and_gone_back_from_with_a_reason(open_page: Open, ground: Ground, tmp_path: Path) -> None:
    installed = packages.version()
    living.push(ground.store, tmp_path, "9.0.0", 2.0)
    page = unlocked(open_page, ground.door)
    expect(page.get_by_text("Nothing was promoted yet")).to_be_visible()
    page.get_by_role("button", name="Promote 9.0.0").click()
    expect(page.get_by_role("dialog", name="Promote 9.0.0?")).to_be_visible()
    expect(page.get_by_label("Reason")).to_be_focused()
    check_accessibility(page)
    shoot(page, "manage-dialog")
    page.keyboard.press("Escape")
    assert promotions.latest(ground.store) is None

    page.get_by_role("button", name="Promote 9.0.0").click()
    page.get_by_label("Reason").fill("better on the new scanner")
    page.keyboard.press("Enter")

    expect(page.locator("#manage-versions")).to_contain_text("9.0.0 is active, since promotion 1")
    last = promotions.latest(ground.store)
    assert last is not None
    assert (last.version, last.previous, last.reason) == ("9.0.0", installed, "better on the new scanner")
    page.get_by_role("tab", name="Model").click()
    expect(page.locator("#about-now")).to_contain_text("promoted by hand on")
    expect(page.locator("#about-now")).to_contain_text("better on the new scanner")

    page.get_by_role("tab", name="Manage").click()
    page.get_by_role("button", name=f"Go back to {installed}").click()
    page.get_by_role("dialog").get_by_role("button", name=f"Go back to {installed}").click()
    expect(page.locator("#manage-versions")).to_contain_text(f"{installed} is active, since promotion 2")


def test_a_version_that_fails_its_self_test_is_refused_in_the_dialog(open_page: Open, ground: Ground, tmp_path: Path) -> None:
    living.damage_version(ground.store, tmp_path / "broken", "6.6.6")
    page = unlocked(open_page, ground.door)
    page.get_by_role("button", name="Promote 6.6.6").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote 6.6.6").click()

    expect(page.get_by_role("dialog")).to_contain_text("Cannot activate 6.6.6.")
    expect(page.get_by_role("dialog")).to_contain_text("package_refused")
    assert promotions.latest(ground.store) is None
