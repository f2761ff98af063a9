"""What goes wrong on the way to a reading, and what the page then says."""

from pathlib import Path

from playwright.sync_api import expect

from core import phantom
from tests.browser.conftest import Open, Serve
from tests.browser.given import ANOTHER, SOUND, TEXT, give, payload, row, saved, wait_until_read
from tests.contract import bodies
from tests.contract.doors import HttpDoor


def test_one_bad_file_among_several_spoils_nothing(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, SOUND, TEXT, payload("cut.jpg", phantom.jpeg()[:4000]), payload("empty.jpg", b""), ANOTHER)
    wait_until_read(page)

    expect(page.locator("#shelf-count")).to_have_text("2 read, 3 could not be read")
    assert [row(page, name) for name in ("notes.txt", "cut.jpg", "empty.jpg")] == ["Could not be read"] * 3
    assert all("%" in row(page, name) for name in ("one.jpg", "two.png"))
    page.get_by_role("button", name="notes.txt").click()
    article = page.get_by_role("article", name="notes.txt")
    expect(article.get_by_text("Expected a picture")).to_be_visible()
    expect(article.get_by_text("not_a_picture")).to_be_visible()
    page.get_by_role("button", name="cut.jpg").click()
    expect(page.get_by_role("article", name="cut.jpg").get_by_text("truncated_picture")).to_be_visible()


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
    "guard": {
        "verdict": "refuse",
        "distance": 80.5,
        "warn_distance": 20.0,
        "threshold": 31.0,
        "reasons": ["colour_photograph", "far_from_training"],
    },
    "image": {"format": "jpeg", "width_px": 512, "height_px": 512, "warnings": []},
    "notice": "Research use. Not a medical device.",
}


def test_picture_that_the_guard_refuses_is_shown_with_the_reasons(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    page.route("**/predict?*", lambda route: route.fulfill(status=422, json=REJECTED))

    give(page, SOUND, ANOTHER)
    wait_until_read(page)

    article = page.get_by_role("article", name="one.jpg")
    expect(article.locator(".verdict")).to_have_text("Refused: not a picture for this model")
    expect(article.locator(".guard")).to_contain_text("Not a picture that the model was made for.")
    expect(article.locator(".guard p")).to_have_count(4)
    expect(article.get_by_role("img", name="Picture: one.jpg")).to_be_visible()
    assert row(page, "one.jpg") == "Refused: not a picture for this model"
    assert "rejected" in saved(page, "CSV")
