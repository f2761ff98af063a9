"""The tab on the model: status in words, operating points, figures, card."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.manifest import read
from tests.browser.about import drawn, opened
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.browser.given import percent
from tests.support import living, packages

WIDTHS = (360, 820, 1440)


def test_status_and_model_are_told_in_words(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#about")

    now, what = page.locator("#about-now"), page.locator("#about-what")
    expect(now).to_contain_text(f"pneumonia-mobilenetv2 {packages.version()}, since")
    expect(now).to_contain_text("the service was started with it; nothing was promoted")
    expect(now).to_contain_text("up for less than a minute")
    expect(what).to_contain_text("Measured on 784 pictures of 560 patients: unchanged pictures of patients whom")
    measured = read(packages.baked())[0].metrics
    expect(what).to_contain_text(f"{measured['auroc']['value']:.3f}")
    expect(page.locator("#about-limits li").first).to_contain_text("Trained on children")
    row = page.locator("#about-points tbody tr", has_text="balanced")
    expect(row).to_contain_text("(default)")
    point = read(packages.baked())[0].operating_point("balanced")
    assert point is not None
    cells = (max(point.threshold, point.indeterminate_to), min(point.threshold, point.indeterminate_from), point.threshold)
    expect(row.locator("td").nth(0)).to_have_text(percent(cells[0]))
    expect(row.locator("td").nth(1)).to_have_text(percent(cells[1]))
    expect(row.locator("td").nth(2)).to_have_text(percent(cells[2]))
    expect(page.locator("#about-points tbody")).to_contain_text("rule in")
    sensitivity = measured["sensitivity"]
    expect(row).to_contain_text(f"({100.0 * sensitivity['low']:.1f} to {100.0 * sensitivity['high']:.1f})")


def test_the_baked_models_figures_and_card_are_shown(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#about")
    expect(page.locator("#about-figures figcaption").first).to_contain_text("ROC curve")

    assert drawn(page, "#about-figures") == 8
    expect(page.locator("#about-figures")).to_contain_text("Confusion matrix")
    expect(page.locator("#about-figures")).to_contain_text("Training curves")
    page.get_by_text("Read the card").click()
    expect(page.locator("#about-card").get_by_role("heading", name="Quantitative analysis", level=3)).to_be_visible()
    assert drawn(page, "#about-card") == 8
    assert page.locator("#about-card table").count() >= 8
    check_accessibility(page)


def test_behind_function_keys_figures_and_card_come_with_the_key(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("azure", {}, "--enable-auth", "--key", "a-function-key"), "/#about")
    page.get_by_role("dialog").get_by_role("textbox").fill("a-function-key")
    page.keyboard.press("Enter")
    expect(page.locator("#about-figures img")).to_have_count(8)
    drawn(page, "#about-figures")
    page.get_by_text("Read the card").click()

    expect(page.locator("#about-card").get_by_role("heading", name="Intended use")).to_be_visible()


def test_a_package_without_papers_says_how_to_get_them(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = opened(open_page, serve, packages.copy(tmp_path))

    expect(page.locator("#about-figures")).to_contain_text("pneumonia export PACKAGE --evaluation FILE")
    expect(page.locator("#about-data")).to_contain_text("pneumonia export PACKAGE --data DATASET")
    expect(page.locator("#about-card")).to_contain_text("This package has no card.")


def test_unmeasured_points_say_so(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = opened(open_page, serve, packages.unmeasured(tmp_path))

    expect(page.locator("#about-points")).to_contain_text("not measured")
    check_accessibility(page)


def test_without_a_model_the_reason_is_told(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": "nowhere"}), "/#about")

    expect(page.locator("#about-now")).to_contain_text("No model serves.")
    expect(page.locator("#about-now")).to_contain_text("nowhere")
    expect(page.locator("#about-what")).to_contain_text("model_unavailable")
    expect(page.locator("#about-rest")).to_be_hidden()
    check_accessibility(page)


def test_promotion_retraining_and_reload_error_are_told(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    store = living.open_folder(tmp_path / "store")
    living.promote(store, living.push(store, tmp_path, "9.0.0", 2.0))
    job = tmp_path / "store/jobs/00000001"
    (job / "events").mkdir(parents=True)
    (job / "request.json").write_text('{"at": 1795000000.0, "request_id": "r"}')
    (job / "events/0001.json").write_text(
        '{"kind": "done", "at": 1795000100.0, "progress": 1.0, "outcome": {"result": "promoted", "version": "9.0.0"}}'
    )
    door = serve("google", {"PNEUMONIA_STORE": (tmp_path / "store").as_uri(), "PNEUMONIA_REFRESH_S": "1"})
    page = open_page(door, "/#about")
    expect(page.locator("#about-now")).to_contain_text("9.0.0, since")
    expect(page.locator("#about-now")).to_contain_text("9.0.0 was promoted")

    broken = living.damage_version(store, tmp_path / "broken", "6.6.6")
    living.promote(store, broken)

    def told() -> bool:
        page.get_by_role("tab", name="Read").click()
        page.get_by_role("tab", name="Model").click()
        page.wait_for_load_state("networkidle")
        return "The last look for a newly promoted model failed" in page.locator("#about-now").inner_text()

    living.until(told)
    expect(page.locator("#about-now")).to_contain_text("9.0.0, since")
    check_accessibility(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_fits_every_width(open_page: Open, serve: Serve, width: int, scheme: str) -> None:
    page = open_page(serve(), "/#about", viewport={"width": width, "height": 900}, color_scheme=scheme)
    expect(page.locator("#about-figures img")).to_have_count(8)
    drawn(page, "#about-figures")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_accessibility(page)
    shoot(page, f"about-{width}-{scheme}")


def test_what_the_guard_was_measured_to_do_stands_in_the_card(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#about")
    page.get_by_text("Read the card").click()

    card = page.locator("#about-card")
    expect(card.get_by_role("heading", name="Guard")).to_be_visible()
    expect(card.get_by_role("row", name="held-out chest X-rays")).to_have_text(re.compile(r"\d+\.\d%.*\d+\.\d%.*\d+\.\d%"))
