"""A real browser on real doors. What the console or the Content-Security-Policy complains of fails the test."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.managing import foreman, ground  # noqa: F401 - fixtures of the tests on managing
from tests.contract.doors import HttpDoor, azure, google

DOORS = {"google": google, "azure": azure}
PATIENCE_MS = 15_000  # in .ci/run the lab's tests take most of both cores meanwhile
expect.set_options(timeout=PATIENCE_MS)
IN_CI = os.environ.get("CI") == "true"
# Chromium logs every answer of 400 and above as an error of the console; those are what many tests are about.
EXPECTED = re.compile(r"Failed to load resource")

Serve = Callable[..., HttpDoor]


class Open(Protocol):
    """Opens the page of a door in a new browser context."""

    def __call__(self, door: HttpDoor, path: str = "/", *, expected: str | None = None, **context: Any) -> Page: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Ends with this folder's tests: Playwright's event loop would be in the way of other tests' own."""
    found = shutil.which("chromium")
    if found is None:
        if IN_CI:
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def serve() -> Iterator[Serve]:
    """Give a function from a door and its settings to the running door; the same one for the same question."""
    running: dict[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]], HttpDoor] = {}
    with ExitStack() as stack:

        def serve_once(door: str = "google", environ: Mapping[str, str] | None = None, *options: str) -> HttpDoor:
            asked = (door, tuple(sorted((environ or {}).items())), options)
            if asked not in running:
                running[asked] = stack.enter_context(DOORS[door](environ or {}, *options))
            return running[asked]

        yield serve_once


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Give a function that opens the page. `expected` is a pattern of what the console may say besides; all else fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_one(door: HttpDoor, path: str = "/", *, expected: str | None = None, **context: Any) -> Page:
            new = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, "accept_downloads": True, **context})
            stack.callback(new.close)
            page = new.new_page()
            page.set_default_timeout(PATIENCE_MS)

            def listen(message: ConsoleMessage) -> None:
                fine = EXPECTED.search(message.text) or (expected and re.search(expected, message.text))
                if message.type in ("error", "warning") and not fine:
                    complaints.append(f"{message.type}: {message.text}")

            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
            page.goto(f"http://127.0.0.1:{door.port}{path}")
            return page

        yield open_one
    assert complaints == []


@pytest.fixture
def door(serve: Serve) -> HttpDoor:
    """Return the door with nothing set."""
    return serve()


def check_accessibility(page: Page) -> None:
    """Fail with what axe finds, best practices included."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page where `SCREENSHOTS` says, outside the repository; without it do nothing."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, animations="disabled")
