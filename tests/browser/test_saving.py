"""Answers to keep: JSON, CSV, paper."""

import json
import re

from playwright.sync_api import expect

from core import phantom
from tests.browser.conftest import Open, shoot
from tests.browser.given import ANOTHER, SOUND, TEXT, give, payload, saved, wait_until_read
from tests.contract.doors import HttpDoor


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
    assert lines[1].startswith(f"one.jpg,ok,{alone['pneumonia']['probability']},negative,balanced,")
    assert lines[3].startswith("'=HYPERLINK(1).jpg,")
    assert all("Not a medical device" in line for line in lines[1:4])


def test_no_sheet_of_paper_is_wasted(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, SOUND, ANOTHER)
    wait_until_read(page)

    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True))

    assert len(sheets) == 2  # one for each answer; what the model cannot say stands below the last


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
