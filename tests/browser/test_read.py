"""The tab that reads pictures: every flow a clinician takes."""

import json
import re

from playwright.sync_api import expect

from core import phantom
from core.manifest import OperatingPoint, read
from tests.browser.conftest import Open
from tests.browser.given import ANOTHER, SOUND, TEXT, give, payload, percent, wait_until_read
from tests.contract.doors import Ask, HttpDoor
from tests.support import packages


def points() -> dict[str, OperatingPoint]:
    """The operating points of the package that the project ships, by name."""
    return {point.name: point for point in read(packages.baked())[0].operating_points}


def test_sample_is_read_with_words_probability_scale_and_heat_map(open_page: Open, door: HttpDoor) -> None:
    probability = percent(json.loads(door.ask(Ask("POST", "/predict", phantom.jpeg())).body)["pneumonia"]["probability"])
    balanced, screening, rule_in = (points()[name] for name in ("balanced", "screening", "rule_in"))
    page = open_page(door)

    page.get_by_role("button", name="Try the sample").click()

    article = page.get_by_role("article", name="Sample (drawn, no patient)")
    expect(article.get_by_text("Pneumonia unlikely")).to_be_visible()
    expect(article.get_by_text(probability).first).to_be_visible()
    scale = article.get_by_role("img", name=spaced(f"Probability {probability}"))
    limits = (balanced.threshold, balanced.indeterminate_from, screening.threshold, rule_in.threshold)
    said = "Threshold of balanced {}.*no decision from {}.*screening at {}.*rule in at {}".format(*map(percent, limits))
    expect(scale).to_have_accessible_name(spaced(said))
    expect(article.get_by_role("img", name="Heat map")).to_be_visible()
    expect(article.locator(".notice")).to_have_text("Research use. Not a medical device.")
    expect(article.get_by_text(f"-mobilenetv2 {packages.version()}")).to_be_visible()
    expect(article.get_by_text(spaced("sensitivity {}.*specificity {}".format(*measured(balanced))))).to_be_visible()
    expect(page.get_by_role("heading", name="What the model cannot say")).to_be_visible()
    expect(page.locator("#limits li").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(f"Sample (drawn, no patient): Pneumonia unlikely, {probability}.")


def spaced(pattern: str) -> re.Pattern[str]:
    """A pattern that finds its text with whatever spaces Playwright has made of those that do not break."""
    return re.compile(pattern.replace("\u00a0", r"\s"))


def measured(point: OperatingPoint) -> tuple[str, str]:
    """Sensitivity and specificity as the page writes them."""
    assert point.sensitivity
    assert point.specificity
    return percent(point.sensitivity.value), percent(point.specificity.value)


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
    balanced, rule_in = (points()[name] for name in ("balanced", "rule_in"))
    below = "Below {}, the operating point “{}” says no pneumonia."
    expect(article.get_by_text(below.format(percent(balanced.indeterminate_from), "balanced"))).to_be_visible()

    page.get_by_label("Operating point", exact=True).select_option("rule_in")

    expect(article.get_by_text(below.format(percent(rule_in.indeterminate_from), "rule in"))).to_be_visible()
    expect(page.locator("#point-says")).to_have_text(spaced("^Sensitivity {}, specificity {}".format(*measured(rule_in))))


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
