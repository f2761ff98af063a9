"""The tab that reads pictures: every flow a clinician takes."""

import re

from playwright.sync_api import expect

from core import phantom
from tests.browser.conftest import Open
from tests.browser.given import ANOTHER, SOUND, TEXT, give, payload, wait_until_read
from tests.contract.doors import HttpDoor
from tests.support import packages


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
    expect(article.get_by_text(f"-mobilenetv2 {packages.version()}")).to_be_visible()
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
