"""The tab that reads pictures: every flow a clinician takes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core import phantom
from tests.browser.conftest import Open, Serve
from tests.browser.given import ANOTHER, SOUND, TEXT, give, payload, wait_until_read
from tests.contract.doors import HttpDoor
from tests.support import packages
from tests.support.pictures import chest, encode


def test_sample_is_read_with_words_probability_scale_and_heat_map(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    page.get_by_role("button", name="Try the sample").click()

    article = page.get_by_role("article", name="Sample (drawn, no patient)")
    expect(article.get_by_text("Pneumonia unlikely")).to_be_visible()
    expect(article.get_by_text("21.4\u00a0%").first).to_be_visible()
    scale = article.get_by_role("img", name=re.compile("Probability 21.4"))
    expect(scale).to_have_accessible_name(
        re.compile("Threshold of balanced 62.9.*no decision from 31.4.*screening at 31.4.*rule in at 78.4")
    )
    expect(article.get_by_role("img", name="Heat map: where the network saw pneumonia")).to_be_visible()
    expect(article.locator(".notice")).to_have_text("Research use. Not a medical device.")
    expect(article.get_by_text("pneumonia-mobilenetv2 0.2.0")).to_be_visible()
    expect(article.get_by_text(re.compile("sensitivity 96.9.*specificity 98.0"))).to_be_visible()
    expect(page.get_by_role("heading", name="What the model cannot say")).to_be_visible()
    expect(page.locator("#limits li").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Sample (drawn, no patient): Pneumonia unlikely, 21.4\u00a0%.")


def test_no_more_than_two_requests_run_at_a_time(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    running: list[int] = []
    open_now = 0

    def begin(request: object) -> None:
        nonlocal open_now
        if "predict" in str(request):
            open_now += 1
            running.append(open_now)

    def end(request: object) -> None:
        nonlocal open_now
        if "predict" in str(request):
            open_now -= 1

    page.on("request", begin)
    page.on("requestfinished", end)
    give(page, *[payload(f"{number}.jpg", phantom.jpeg()) for number in range(6)])
    wait_until_read(page)

    assert len(running) == 6
    assert max(running) == 2


def test_dropped_file_is_read(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    transfer = page.evaluate_handle(
        """(bytes) => { const t = new DataTransfer(); t.items.add(new File([new Uint8Array(bytes)], "dropped.jpg")); return t; }""",
        list(phantom.jpeg()),
    )

    page.dispatch_event("#panel-read", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class(re.compile("over"))
    page.dispatch_event("#panel-read", "drop", {"dataTransfer": transfer})

    expect(page.get_by_role("article", name="dropped.jpg").get_by_text("Pneumonia unlikely")).to_be_visible()


def test_another_operating_point_reads_again(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    page.get_by_role("button", name="Try the sample").click()
    article = page.get_by_role("article")
    expect(article.get_by_text("Below 31.4\u00a0%, the operating point “balanced” says no pneumonia.")).to_be_visible()

    page.get_by_label("Operating point", exact=True).select_option("rule_in")

    expect(article.get_by_text("Below 78.4\u00a0%, the operating point “rule in” says no pneumonia.")).to_be_visible()
    expect(page.locator("#point-says")).to_have_text(re.compile("Sensitivity 96.6.*specificity 99.0"))


@pytest.mark.parametrize(("threshold", "words"), [(0.0, "Pneumonia likely"), (1.0, "Pneumonia unlikely")], ids=["positive", "negative"])
def test_decision_is_told_in_words(open_page: Open, serve: Serve, tmp_path: Path, threshold: float, words: str) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(packages.with_point(tmp_path, threshold))}))

    give(page, SOUND)

    expect(page.get_by_role("article").locator(".verdict")).to_have_text(words)


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


def test_picture_that_the_browser_cannot_decode_is_shown_all_the_same(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, payload("scan.tiff", encode(chest(), "TIFF")))
    wait_until_read(page)

    canvas = page.get_by_role("img", name="Picture: scan.tiff")
    assert canvas.evaluate("canvas => [canvas.width, canvas.height]") == list(chest().shape[::-1])
    values = canvas.evaluate("canvas => Array.from(canvas.getContext('2d').getImageData(0, 40, canvas.width, 1).data)")
    assert values[::4] == pytest.approx([int(value) for value in chest()[40]], abs=2)


def test_several_are_compared_side_by_side(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND, ANOTHER, payload("three.jpg", phantom.jpeg()))
    wait_until_read(page)

    page.get_by_role("checkbox", name="Compare one.jpg").check()
    page.get_by_role("checkbox", name="Compare two.png").check()

    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator("#shelf [aria-current=true]")).to_have_count(2)
    boxes = [article.bounding_box() for article in page.get_by_role("article").all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    page.get_by_role("button", name="three.jpg").click()
    expect(page.get_by_role("article", name="three.jpg")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)


def test_pictures_are_removed_one_by_one_and_all_at_once(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND, ANOTHER, TEXT)
    wait_until_read(page)

    page.get_by_role("button", name="Remove this picture").click()
    expect(page.locator("#shelf li")).to_have_count(2)
    page.get_by_role("button", name="Clear all").click()

    expect(page.locator("#results")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()
