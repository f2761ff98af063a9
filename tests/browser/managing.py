"""A service to manage from the page: a store of its own, and a worker that does what the test says."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from core.store import Store
from tests.contract.doors import ROOT, HttpDoor
from tests.support import living

if TYPE_CHECKING:  # conftest imports the fixtures from here
    from tests.browser.conftest import Open, Serve

TOKEN = "a-token-of-the-tests"


class Ground(NamedTuple):
    """A service with a store of its own, and the pipe that its stand-in worker takes orders from."""

    door: HttpDoor
    store: Store
    orders: Path


@pytest.fixture
def ground(serve: "Serve", tmp_path: Path) -> Ground:
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


def unlocked(open_page: "Open", door: HttpDoor, **context: Any) -> Page:
    page = open_page(door, "/#manage", **context)
    unlock(page)
    expect(page.get_by_role("button", name="Forget the token")).to_be_visible()
    return page
