"""The tab that reads pictures: every flow a clinician takes, and what goes wrong on the way."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from core import phantom
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.contract import bodies
from tests.contract.doors import HttpDoor
from tests.support import packages
from tests.support.pictures import chest, encode

WIDTHS = (360, 820, 1440)


def payload(name: str, data: bytes, kind: str = "application/octet-stream") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


SOUND = payload("one.jpg", phantom.jpeg(), "image/jpeg")
ANOTHER = payload("two.png", encode(chest(2), "PNG"), "image/png")
TEXT = payload("notes.txt", b"this is not a picture", "text/plain")


def give(page: Page, *files: FilePayload) -> None:
    page.locator("#files").set_input_files(list(files))


def wait_until_read(page: Page) -> None:
    expect(page.locator("#shelf-count")).to_have_text(re.compile(r"^\d+ read$"))
    expect(page.locator("#view article").first).to_be_visible()


def row(page: Page, name: str) -> str:
    return page.locator("#shelf li", has_text=name).locator(".state").inner_text()


@pytest.fixture
def door(serve: Serve) -> HttpDoor:
    return serve()


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


def test_one_bad_file_among_several_spoils_nothing(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, SOUND, TEXT, payload("cut.jpg", phantom.jpeg()[:4000]), payload("empty.jpg", b""), ANOTHER)
    wait_until_read(page)

    assert [row(page, name) for name in ("notes.txt", "cut.jpg", "empty.jpg")] == ["Could not be read"] * 3
    assert all("%" in row(page, name) for name in ("one.jpg", "two.png"))
    page.get_by_role("button", name="notes.txt").click()
    article = page.get_by_role("article", name="notes.txt")
    expect(article.get_by_text("Expected a picture")).to_be_visible()
    expect(article.get_by_text("not_a_picture")).to_be_visible()
    page.get_by_role("button", name="cut.jpg").click()
    expect(page.get_by_role("article", name="cut.jpg").get_by_text("truncated_picture")).to_be_visible()


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
    boxes = [article.bounding_box() for article in page.get_by_role("article").all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    page.get_by_role("button", name="three.jpg").click()
    expect(page.get_by_role("article", name="three.jpg")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)


def saved(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes().decode()


def test_answers_are_saved_as_json_and_csv(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND)
    wait_until_read(page)
    alone = json.loads(saved(page, "JSON"))
    give(page, TEXT, payload("=HYPERLINK(1).jpg", phantom.jpeg()))
    wait_until_read(page)

    several = json.loads(saved(page, "JSON"))["predictions"]
    lines = saved(page, "CSV").split("\r\n")

    assert (alone["file"], alone["status"], alone["pneumonia"]["decision"]) == ("one.jpg", "ok", "negative")
    assert [(one["file"], one["status"]) for one in several] == [("one.jpg", "ok"), ("notes.txt", "error"), ("=HYPERLINK(1).jpg", "ok")]
    assert (several[1]["code"], len(lines)) == ("not_a_picture", 5)
    assert lines[0].startswith("file,status,probability,decision,operating_point,threshold,")
    assert lines[1].startswith("one.jpg,ok,0.21")
    assert lines[3].startswith("'=HYPERLINK(1).jpg,")
    assert all("Not a medical device" in line for line in lines[1:4])


def test_printed_page_has_every_answer_and_none_of_the_controls(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND, ANOTHER, TEXT)
    wait_until_read(page)

    page.evaluate("() => { window.print = () => dispatchEvent(new Event('beforeprint')); }")
    page.get_by_role("button", name="Print").click()
    page.emulate_media(media="print")

    expect(page.locator(".sheet article")).to_have_count(3)
    expect(page.locator(".sheet header")).to_contain_text("Not a medical device")
    expect(page.locator(".sheet")).to_contain_text("What the model cannot say")
    assert [button for button in page.get_by_role("button").all() if button.is_visible()] == []
    expect(page.locator("main")).to_be_hidden()
    shoot(page, "print")
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    expect(page.locator(".sheet")).to_have_count(0)


def test_pictures_are_removed_one_by_one_and_all_at_once(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND, ANOTHER, TEXT)
    wait_until_read(page)

    page.get_by_role("button", name="Remove this picture").click()
    expect(page.locator("#shelf li")).to_have_count(2)
    page.get_by_role("button", name="Clear all").click()

    expect(page.locator("#results")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()


def test_file_that_is_too_large_is_refused_with_the_limit(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MAX_BODY_MB": "1"}))

    give(page, payload("large.jpg", bytes(3_000_000)), SOUND)
    wait_until_read(page)

    expect(page.get_by_role("article", name="large.jpg").get_by_text("body_too_large")).to_be_visible()
    assert "unlikely" in row(page, "one.jpg")


def test_picture_of_too_many_pixels_is_refused_and_never_decoded_here(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, payload("huge.png", bodies.huge_png()))
    wait_until_read(page)

    expect(page.get_by_role("article").get_by_text("picture_too_large")).to_be_visible()


def test_service_that_has_gone_is_said_and_tried_again(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    expect(page.locator("#cannot")).to_be_visible()
    page.context.set_offline(True)

    give(page, SOUND)
    article = page.get_by_role("article", name="one.jpg")
    expect(article.get_by_text("The service does not answer.")).to_be_visible()
    page.context.set_offline(False)
    article.get_by_role("button", name="Read again").click()

    expect(article.get_by_text("Pneumonia unlikely")).to_be_visible()


def test_file_that_cannot_be_read_is_not_blamed_on_the_service(open_page: Open, door: HttpDoor, tmp_path: Path) -> None:
    page = open_page(door)
    expect(page.locator("#cannot")).to_be_visible()
    file = tmp_path / "gone.jpg"
    file.write_bytes(phantom.jpeg())
    page.context.set_offline(True)
    page.locator("#files").set_input_files(file)
    article = page.get_by_role("article", name="gone.jpg")
    expect(article.get_by_text("The service does not answer.")).to_be_visible()

    file.unlink()
    page.context.set_offline(False)
    article.get_by_role("button", name="Read again").click()

    expect(article.get_by_text("unreadable_file")).to_be_visible()


def test_sample_of_a_service_that_has_gone_is_said(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    expect(page.locator("#cannot")).to_be_visible()
    page.context.set_offline(True)

    page.get_by_role("button", name="Try the sample").click()

    expect(page.get_by_text("The service does not answer.").first).to_be_visible()


def test_model_that_is_missing_is_said(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": "nowhere"}))

    expect(page.locator("#model-problem")).to_contain_text("model_unavailable")
    give(page, SOUND)

    expect(page.get_by_role("article", name="one.jpg").get_by_text("model_unavailable")).to_be_visible()


REJECTED = {
    "status": "rejected",
    "request_id": "r",
    "model": {"name": "m", "version": "1", "sha256": "0" * 64},
    "guard": {"verdict": "refuse", "distance": 80.5, "threshold": 31.0, "reasons": ["colour_photograph", "far_from_training"]},
    "image": {"format": "jpeg", "width_px": 512, "height_px": 512, "warnings": []},
    "notice": "Research use. Not a medical device.",
}


def test_picture_that_the_guard_refuses_is_shown_with_the_reasons(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    page.route("**/predict?*", lambda route: route.fulfill(status=422, json=REJECTED))

    give(page, SOUND, ANOTHER)
    wait_until_read(page)

    article = page.get_by_role("article", name="one.jpg")
    expect(article.locator(".verdict")).to_have_text("Not read")
    expect(article.locator(".guard")).to_contain_text("Not a picture that the model was made for.")
    expect(article.locator(".guard p")).to_have_count(4)
    expect(article.get_by_role("img", name="Picture: one.jpg")).to_be_visible()
    assert row(page, "one.jpg") == "Not read"
    assert "rejected" in saved(page, "CSV")


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
