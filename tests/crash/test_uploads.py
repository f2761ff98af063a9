"""Uploads while the server is killed, and while its store is cut off: what was acknowledged is there, and nothing half counts.

Azurite itself is not killed: it writes its index every few seconds, so that it forgets what it acknowledged. Its connections are cut.
"""

import hashlib
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.living import DuplicatePicture, StoredPicture, Uploads
from core.store import Store, open_store
from core.uploads import Record, counted
from tests.contract import bodies
from tests.contract.doors import Ask, Door, HttpDoor, google
from tests.support import emulators
from tests.support.pictures import encode
from tests.support.relays import Relay

SEEDS = range(20)
BATCH = 4
TOKEN = "an-admin-token"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={bodies.BOUNDARY}", "X-Admin-Token": TOKEN}


@cache
def picture(number: int) -> bytes:
    """Noise of about 40 kB, another for each number."""
    return encode(np.random.default_rng(number).integers(0, 256, (200, 200), np.uint8), "PNG")


class Sender:
    """Uploads pictures, batch by batch and over and over, and keeps what was acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, bytes] = {}
        self.refused = 0
        self._next = 0

    def send(self, door: Door) -> bool:
        """Send the next batch; return whether it was acknowledged."""
        batch = [picture(self._next + offset) for offset in range(BATCH)]
        if not self.resend(door, batch):
            return False
        self._next += BATCH
        return True

    def resend(self, door: Door, batch: list[bytes]) -> bool:
        answer = door.ask(Ask("POST", "/upload-data", bodies.multipart(*batch), HEADERS, {"label": "normal"}))
        if answer.status != 200:
            assert answer.status == 503, answer.body
            self.refused += 1
            return False
        for data, outcome in zip(batch, msgspec.json.decode(answer.body, type=Uploads).uploads, strict=True):
            assert isinstance(outcome, StoredPicture | DuplicatePicture)
            assert outcome.sha256 == hashlib.sha256(data).hexdigest()
            self.acknowledged[outcome.sha256] = data
        return True

    def send_until_it_breaks(self, door: Door, first: threading.Event) -> None:
        try:
            while True:
                self.send(door)
                first.set()
        except (OSError, http.client.HTTPException):
            return
        finally:
            first.set()


def check(store: Store, acknowledged: Mapping[str, bytes], labels: Mapping[str, str] = {}) -> None:
    """All that was acknowledged counts, under its label where that is given, and all that counts is whole."""
    there = {found.sha256: found.key for found in counted(store)}
    assert set(acknowledged) <= set(there)
    for sha256, key in there.items():
        data = store.get(key)
        assert data is not None
        assert hashlib.sha256(data).hexdigest() == sha256
        record = store.get(f"{key.rpartition('.')[0]}.json")
        assert record is not None
        assert sha256 not in acknowledged or msgspec.json.decode(record, type=Record).label == labels.get(sha256, "normal")
        assert msgspec.json.decode(record, type=Record).size_bytes == len(data)


def kill(pid: int) -> None:
    """Kill a server with its workers, none of which may say goodbye."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for one in (*children, pid):
        os.kill(one, signal.SIGKILL)


def test_server_killed_at_any_moment_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    environ = {"PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_ADMIN_TOKEN": TOKEN}
    store, sender = open_store(tmp_path.as_uri()), Sender()
    for seed in SEEDS:
        with google(environ) as door:
            first = threading.Event()
            thread = threading.Thread(target=sender.send_until_it_breaks, args=(door, first))
            thread.start()
            assert first.wait(60)
            time.sleep(random.Random(seed).uniform(0.0, 0.2))
            kill(door.pid)
            thread.join()
        check(store, sender.acknowledged)
    with google(environ) as door:
        assert sender.resend(door, list(sender.acknowledged.values())[:BATCH])
        assert sender.send(door)
    check(store, sender.acknowledged)


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[HttpDoor, Relay, Store]]:
    """A server, what can be cut between it and Azurite, and the store as it is."""
    with emulators.azurite() as emulator:
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        endpoint = emulator.environ["AZURE_STORAGE_ENDPOINT"]
        port = int(endpoint.rpartition(":")[2].partition("/")[0])
        store = open_store(emulator.url)
        assert store.children("") == []  # it is open now, past the relay
        with Relay(port) as relay:
            environ = {**emulator.environ, "AZURE_STORAGE_ENDPOINT": endpoint.replace(str(port), str(relay.port))}
            with google({**environ, "PNEUMONIA_STORE": emulator.url, "PNEUMONIA_ADMIN_TOKEN": TOKEN}) as door:
                yield door, relay, store


def test_store_cut_off_at_any_moment_loses_nothing_that_was_acknowledged(cut_off: tuple[HttpDoor, Relay, Store]) -> None:
    door, relay, store = cut_off
    sender, stop = Sender(), threading.Event()

    def send() -> None:
        while not stop.is_set():
            sender.send(door)

    thread = threading.Thread(target=send)
    thread.start()
    cuts = 0
    for seed in SEEDS:
        chance = random.Random(seed)
        time.sleep(chance.uniform(0.05, 0.4))
        if seed % 2:
            relay.down.set()
        cuts += relay.cut()
        time.sleep(chance.uniform(0.0, 0.2))
        relay.down.clear()
    stop.set()
    thread.join()

    assert cuts > 0
    check(store, sender.acknowledged)
    assert sender.send(door)
    check(store, sender.acknowledged)
