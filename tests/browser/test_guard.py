"""The guard in the page: what it warns of and refuses, in words, and the way round it."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from core.manifest import MANIFEST_FILE
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.browser.given import SOUND, canvas_colours, give, payload, row, saved, wait_until_read
from tests.contract.doors import HttpDoor
from tests.contract.guard_cases import blank, coloured, faint
from tests.support import packages
from tests.support.pictures import encode

RED = payload("holiday.png", coloured())
IN_TIFF = payload("holiday.tif", encode(Image.open(io.BytesIO(coloured())), "TIFF"))
GREY = payload("wall.png", blank())
FAINT = payload("faint.png", faint())


@pytest.fixture(scope="module")
def guarded(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> HttpDoor:
    """Return a service whose guard knows two phantoms."""
    return serve("google", {"PNEUMONIA_MODEL": str(packages.guarded(tmp_path_factory.mktemp("guarded")))})


def answer_all_the_same(page: Page) -> None:
    page.get_by_role("button", name="Answer all the same").click()


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_refused_picture_is_shown_with_verdict_and_reasons(open_page: Open, guarded: HttpDoor, width: int) -> None:
    page = open_page(guarded, viewport={"width": width, "height": 900}, reduced_motion="reduce")

    give(page, RED)
    wait_until_read(page)

    article = page.get_by_role("article", name="holiday.png")
    expect(article.locator(".verdict")).to_have_text("Refused: not a picture for this model")
    expect(article.get_by_text("It is coloured.")).to_be_visible()
    expect(article.get_by_text(re.compile(r"^Distance to the chest X-rays that it knows \d"))).to_be_visible()
    expect(article.get_by_text("Calibrated probability")).to_have_count(0)
    expect(article.get_by_role("img", name="Picture: holiday.png")).to_be_visible()
    expect(article.get_by_role("img", name=re.compile("^Heat map"))).to_have_count(0)
    check_accessibility(page)
    shoot(page, f"guard-refused-{width}")


@pytest.mark.parametrize(("of_children", "asked"), [(True, "a frontal chest X-ray of a child"), (False, "a frontal chest X-ray")])
def test_whoever_wants_the_answer_is_asked_for_a_picture_that_the_model_is_for(
    of_children: bool, asked: str, open_page: Open, serve: Serve, tmp_path: Path
) -> None:
    package = packages.guarded(tmp_path)
    packages.edit(package, MANIFEST_FILE, lambda content: content.update(of_children=of_children))
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(package)}))
    give(page, RED)
    wait_until_read(page)
    expect(page.get_by_text(f"If you see that it is {asked}, you can have the answer that the guard holds back.")).to_be_visible()


def test_refused_picture_is_not_counted_as_read(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)
    count = page.locator("#shelf-count")

    give(page, SOUND, FAINT, RED)
    expect(count).to_have_text("2 read, 1 refused")
    give(page, GREY)
    expect(count).to_have_text("2 read, 2 refused")
    page.get_by_role("button", name="wall.png").click()
    answer_all_the_same(page)

    expect(count).to_have_text("3 read, 1 refused")


def test_coloured_picture_is_shown_in_its_colours_also_through_a_window(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded, expected="willReadFrequently")  # this test reads the canvas often, the page does not
    given = np.asarray(Image.open(io.BytesIO(coloured())), dtype=np.float64)

    give(page, RED)
    wait_until_read(page)

    article = page.get_by_role("article", name="holiday.png")
    expect(article.get_by_text("Shown in colour. The model reads it in grey.")).to_be_visible()
    assert np.abs(canvas_colours(page) - given).max() <= 1.0
    thumbnail = "canvas => Array.from(canvas.getContext('2d').getImageData(10, 90, 1, 1).data)"
    red, green, blue, _ = page.locator("#shelf canvas").evaluate(thumbnail)
    assert red > 200 > 10 > max(green, blue)

    page.get_by_role("slider", name="Brightness").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert np.abs(canvas_colours(page) - np.minimum(given + 20.0, 255.0)).max() <= 2.0


def test_coloured_picture_is_grey_under_a_heat_map_which_its_colours_would_be_taken_for(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded, expected="willReadFrequently")
    give(page, RED)
    wait_until_read(page)
    coloured_view = canvas_colours(page)

    answer_all_the_same(page)

    article = page.get_by_role("article", name="holiday.png")
    expect(article.get_by_role("img", name=re.compile("^Heat map"))).to_be_visible()
    expect(article.get_by_text("Grey under the heat map, as the model reads it; coloured without the heat map.")).to_be_visible()
    assert np.ptp(canvas_colours(page), axis=2).max() == 0.0
    page.get_by_role("slider", name="Heat map").press("Home")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert np.array_equal(canvas_colours(page), coloured_view)


def test_coloured_picture_that_a_browser_cannot_decode_says_why_it_is_grey(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)

    give(page, IN_TIFF)
    wait_until_read(page)

    expect(page.get_by_role("article").get_by_text("It is coloured.")).to_be_visible()
    expect(page.get_by_role("article").get_by_text("Shown in grey, as the model reads it")).to_be_visible()
    assert np.ptp(canvas_colours(page), axis=2).max() == 0.0


def test_refused_picture_is_answered_where_a_person_wants_it_and_says_so(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)
    give(page, RED, SOUND)
    wait_until_read(page)
    assert row(page, "holiday.png") == "Refused: not a picture for this model"

    with page.expect_request(re.compile(r"/predict\?.*guard=advise")):
        answer_all_the_same(page)

    article = page.get_by_role("article", name="holiday.png")
    expect(article.get_by_text("Calibrated probability of pneumonia")).to_be_visible()
    expect(article.locator(".reading-head")).to_contain_text("The guard refused this picture.")
    note = article.get_by_role("note", name="Guard")
    expect(note).to_contain_text("Not a picture that the model was made for. It was answered because you asked: do not rely on it.")
    expect(note).to_contain_text("It is coloured.")
    assert note.bounding_box()["y"] < article.locator(".scale-box").bounding_box()["y"]  # type: ignore[index]
    expect(article.get_by_role("img", name=re.compile("^Heat map"))).to_be_visible()
    expect(page.locator("#view")).to_be_focused()
    assert row(page, "holiday.png").endswith("(refused by the guard)")
    assert '"verdict": "refuse"' in saved(page, "JSON")
    check_accessibility(page)
    shoot(page, "guard-advised")


def test_another_operating_point_keeps_what_was_asked_of_each_picture(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)
    give(page, RED, GREY)
    wait_until_read(page)
    answer_all_the_same(page)
    expect(page.get_by_role("article", name="holiday.png").get_by_text("Calibrated probability of pneumonia")).to_be_visible()

    page.get_by_label("Operating point", exact=True).select_option("rule_in")

    expect(page.locator("#shelf li", has_text="wall.png").locator(".state")).to_have_text("Refused: not a picture for this model")
    expect(page.get_by_role("article", name="holiday.png").get_by_text("operating point “rule in”")).to_be_visible()


def test_warned_picture_is_answered_with_the_warning(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)

    give(page, FAINT)
    wait_until_read(page)

    note = page.get_by_role("article").get_by_role("note", name="Guard")
    expect(note).to_contain_text("Unusual for this model. Take the result with care.")
    expect(note).to_contain_text("It has hardly any contrast.")
    expect(page.get_by_role("button", name="Answer all the same")).to_have_count(0)
    assert row(page, "faint.png").endswith("%, unusual")


def test_accepted_picture_says_so(open_page: Open, guarded: HttpDoor) -> None:
    page = open_page(guarded)

    give(page, SOUND)

    expect(page.get_by_role("article").get_by_text("Looks like the pictures that the model was made for.")).to_be_visible()


def test_shipped_model_refuses_what_is_no_chest(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, RED, GREY)
    wait_until_read(page)

    assert {row(page, "holiday.png"), row(page, "wall.png")} == {"Refused: not a picture for this model"}
