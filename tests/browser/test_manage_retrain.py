"""Retraining in the page: asked for, watched while somebody looks, told what came of it."""

import re
import time
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Page, expect

from core import worker
from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.browser.managing import TOKEN, Ground, unlocked
from tests.support import living

JOB = re.compile(r"/retrain/\d+$")


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


def run_until_asked(page: Page, asked: list[str]) -> None:
    """Let the page's time pass, in steps: it sets its next timer only once it has read the last answer."""
    before, deadline = len(asked), time.monotonic() + 60
    while len(asked) == before:
        assert time.monotonic() < deadline, "The job was not asked about again."
        page.clock.run_for(1_000)


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
    run_until_asked(page, asked)
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
        run_until_asked(page, asked)
    seen = len(asked)
    page.clock.run_for(10_000)
    assert len(asked) == seen


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
