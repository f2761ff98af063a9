"""The tab for who looks after the model: token, uploads, retraining, promotion, and what is off and why."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest
from playwright.sync_api import Page, Route, expect

from core import phantom, promotions, worker
from core.store import Store
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.contract.doors import ROOT, HttpDoor
from tests.support import living, packages

TOKEN = "a-token-of-the-tests"
WIDTHS = (360, 820, 1440)
JOB = re.compile(r"/retrain/\d+$")


class Ground(NamedTuple):
    """A service with a store of its own, and the pipe that its stand-in worker takes orders from."""

    door: HttpDoor
    store: Store
    orders: Path


@pytest.fixture
def ground(serve: Serve, tmp_path: Path) -> Ground:
    orders = tmp_path / "orders"
    os.mkfifo(orders)
    store = living.open_folder(tmp_path / "store")
    environ = {
        "PNEUMONIA_STORE": (tmp_path / "store").as_uri(),
        "PNEUMONIA_ADMIN_TOKEN": TOKEN,
        "PNEUMONIA_EXTRA_LABELS": "fungal pneumonia",
        "PNEUMONIA_LAUNCHER": "process",
        "PNEUMONIA_RETRAIN_COMMAND": f"{sys.executable} -m tests.browser.worker",
        "PNEUMONIA_REFRESH_S": "1",
        "PNEUMONIA_MAX_BODY_MB": "1",
        "PYTHONPATH": str(ROOT),
        "STAND_IN_ORDERS": str(orders),
    }
    return Ground(serve("google", environ), store, orders)


@pytest.fixture
def foreman(ground: Ground) -> Iterator[IO[str]]:
    """What gives orders to the worker: open for reading, too, so that opening waits for nobody."""
    with os.fdopen(os.open(ground.orders, os.O_RDWR), "w", buffering=1, encoding="utf-8") as orders:
        yield orders


def unlock(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Unlock").click()


def unlocked(open_page: Open, door: HttpDoor, **context: Any) -> Page:
    page = open_page(door, "/#manage", **context)
    unlock(page)
    expect(page.get_by_role("button", name="Forget the token")).to_be_visible()
    return page


def jpeg(seed: int) -> bytes:
    return phantom.jpeg() + bytes([seed])  # what stands behind a JPEG's end makes another file of the same picture


def choose(page: Page, label: str, files: dict[str, bytes]) -> None:
    page.get_by_label("What they show").select_option(label)
    given = [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()]
    page.locator("#manage-files").set_input_files(given)  # type: ignore[arg-type]


def rows(page: Page) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator("#manage-upload-rows tr").all()]


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


def test_pictures_are_uploaded_one_by_one_each_with_its_outcome(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    expect(page.get_by_label("What they show").locator("option")).to_have_text(
        ["Choose…", "normal", "bacterial pneumonia", "viral pneumonia", "fungal pneumonia"]
    )
    choose(page, "normal", {"first.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 stored.")

    files = {
        "new.jpg": jpeg(2),
        "first.jpg": jpeg(1),
        "notes.jpg": b"no picture",
        "large.jpg": bytes(2**20 + 1),
        "<b>bold</b>.jpg": jpeg(3),
    }
    choose(page, "fungal pneumonia", files)
    page.get_by_role("button", name="Upload 5 pictures").click()

    expect(page.locator("#manage-upload-sum")).to_have_text("5 of 5 pictures: 2 stored, 1 stored under another label, 2 refused.")
    expect(page.locator("#live")).to_contain_text("The upload is done: 5 of 5 pictures")
    assert [row[:2] for row in rows(page)] == [
        ["new.jpg", "stored"],
        ["first.jpg", "not stored"],
        ["notes.jpg", "refused"],
        ["large.jpg", "refused"],
        ["<b>bold</b>.jpg", "stored"],
    ]
    assert "label_conflict" in rows(page)[1][2]
    assert "not_a_picture" in rows(page)[2][2]
    assert "body_too_large" in rows(page)[3][2]
    assert len([key for key in ground.store.keys("uploads/") if key.endswith(".json")]) == 3
    check_accessibility(page)
    shoot(page, "manage-uploaded")

    choose(page, "normal", {"first.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 there already.")


def test_an_upload_without_label_or_pictures_says_what_is_missing(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#manage-upload-problem")).to_have_text("Choose what the pictures show first.")
    expect(page.get_by_label("What they show")).to_be_focused()
    page.get_by_label("What they show").select_option("normal")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#manage-upload-problem")).to_have_text("Choose pictures first.")


def test_an_upload_that_breaks_off_can_be_gone_on_with(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    seen = 0

    def break_second(route: Route) -> None:
        nonlocal seen
        seen += 1
        route.abort() if seen == 2 else route.continue_()

    page.route("**/upload-data*", break_second)
    choose(page, "normal", {f"{number}.jpg": jpeg(number) for number in range(3)})
    page.get_by_role("button", name="Upload 3 pictures").click()

    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    expect(page.get_by_text("2 pictures are left.")).to_be_visible()
    page.get_by_role("button", name="Go on with 2 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("2 of 2 pictures: 2 stored.")


def test_an_upload_can_be_stopped_and_gone_on_with(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    held: list[Route] = []
    page.route("**/upload-data*", lambda route: held.append(route) if not held and rows(page) else route.continue_())
    choose(page, "normal", {f"{number}.jpg": jpeg(number) for number in range(3)})
    page.get_by_role("button", name="Upload 3 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 3 pictures: 1 stored.")
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_text("2 pictures are left.")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("The upload has stopped")
    page.get_by_role("button", name="Go on with 2 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("2 of 2 pictures: 2 stored.")


def test_a_token_that_is_changed_meanwhile_locks_the_tab(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    problem = '{"status": 401, "code": "admin_unauthorized", "detail": "Expected the admin token. Received: a wrong one."}'
    page.route("**/upload-data*", lambda route: route.fulfill(status=401, body=problem))
    choose(page, "normal", {"a.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()

    expect(page.get_by_text("The token is not accepted any more.")).to_be_visible()
    expect(page.locator("#manage-open")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_retraining_is_started_watched_and_promoted(
    open_page: Open, ground: Ground, foreman: IO[str], tmp_path: Path, scheme: str
) -> None:
    living.push(ground.store, tmp_path, "9.0.0", 2.0)
    page = unlocked(open_page, ground.door, color_scheme=scheme)
    page.get_by_role("button", name="Start a retraining").click()
    expect(page.get_by_role("heading", name="Job 1")).to_be_visible()
    expect(page.get_by_text("It is running.").first).to_be_visible()
    foreman.write("progress 0.3\n")
    expect(page.locator("#manage-job-bar")).to_have_js_property("value", 0.3)
    expect(page.locator("#manage-job-seen")).to_contain_text("is running, 30")
    expect(page.locator("#live")).to_contain_text("Job 1 is running")

    page.get_by_role("button", name="Start a retraining").click()
    expect(page.get_by_text("One retraining at a time: one waits or runs already.")).to_be_visible()
    check_accessibility(page)
    shoot(page, f"manage-running-{scheme}")

    foreman.write("promoted 9.0.0\n")
    expect(page.locator("#manage-job")).to_contain_text("the new model is promoted")
    expect(page.locator("#manage-job")).to_contain_text("0.9951")
    expect(page.locator("#manage-versions")).to_contain_text("9.0.0 is active, since promotion 1")
    check_accessibility(page)


def test_a_retraining_that_changes_nothing_says_why(open_page: Open, ground: Ground, foreman: IO[str]) -> None:
    page = unlocked(open_page, ground.door)
    page.get_by_role("button", name="Start a retraining").click()
    foreman.write("kept Expected AUROC of at least 0.98. Received: <i>0.90</i>.\n")

    expect(page.locator("#manage-job")).to_contain_text("the model before is kept")
    expect(page.locator("#manage-job")).to_contain_text("Received: <i>0.90</i>.")

    page.get_by_role("button", name="Start a retraining").click()
    expect(page.get_by_role("heading", name="Job 2")).to_be_visible()
    foreman.write("failed Expected a disk with room. Received: a full one.\n")
    expect(page.locator("#manage-job")).to_contain_text("a full one")
    page.get_by_text("The last 2 jobs").click()
    expect(page.locator("#manage-jobs tbody tr")).to_have_count(2)
    shoot(page, "manage-failed")


def test_a_service_that_does_not_answer_is_asked_again(open_page: Open, ground: Ground, foreman: IO[str]) -> None:
    page = unlocked(open_page, ground.door)
    page.route(JOB, lambda route: route.abort())
    page.get_by_role("button", name="Start a retraining").click()
    expect(page.locator("#manage-job")).to_contain_text("The service does not answer.")
    expect(page.locator("#manage-job")).to_contain_text("It is asked again.")

    page.unroute(JOB)
    foreman.write("progress 0.6\n")
    expect(page.locator("#manage-job-bar")).to_have_js_property("value", 0.6)
    expect(page.locator("#manage-job")).not_to_contain_text("It is asked again.")


def turn_away(page: Page, hidden: bool) -> None:
    """Do as a browser does when another tab or window covers this one."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_nobody_is_asked_while_nobody_looks(open_page: Open, ground: Ground, foreman: IO[str]) -> None:
    page = unlocked(open_page, ground.door)
    page.clock.install()
    page.get_by_role("button", name="Start a retraining").click()
    foreman.write("progress 0.1\n")
    expect(page.locator("#manage-job-bar")).to_have_js_property("value", 0.1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if JOB.search(request.url) else None)

    page.get_by_role("tab", name="Read").click()
    page.clock.run_for(120_000)
    assert asked == []
    page.get_by_role("tab", name="Manage").click()
    with page.expect_response(JOB):
        page.clock.run_for(20_000)
    turn_away(page, hidden=True)
    before = len(asked)
    page.clock.run_for(120_000)
    assert len(asked) == before
    with page.expect_response(JOB):
        turn_away(page, hidden=False)
    page.get_by_role("tab", name="Read").click()
    with page.expect_response(JOB):
        page.get_by_role("tab", name="Manage").click()
    for _ in range(12):  # nothing moves, so it is asked ever less often, but never given up
        with page.expect_response(JOB):
            page.clock.run_for(20_000)
    seen = len(asked)
    page.clock.run_for(10_000)
    assert len(asked) == seen


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


def test_a_launcher_that_fails_is_told(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    environ = {"PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_LAUNCHER": "process"}
    page = unlocked(open_page, serve("google", environ | {"PNEUMONIA_RETRAIN_COMMAND": "nowhere/pneumonia retrain"}))
    page.get_by_role("button", name="Start a retraining").click()

    expect(page.locator("#manage-retrain-problem")).to_contain_text("launcher_failed")
    expect(page.locator("#manage-job")).to_contain_text("It failed.")


def test_a_job_that_nobody_takes_is_shown_as_waiting(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    environ = {"PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_STORE": tmp_path.as_uri()}
    page = unlocked(open_page, serve("google", environ))
    page.get_by_role("button", name="Start a retraining").click()
    expect(page.locator("#manage-job")).to_contain_text("It waits for a worker.")

    held = worker.claim(living.open_folder(tmp_path), "1", "a person", 600.0)
    held.progress(0.5, force=True)
    expect(page.locator("#manage-job-bar")).to_have_js_property("value", 0.5)


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
