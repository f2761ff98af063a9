"""The whole loop while its parts are killed at random: upload, retrain, promote, reload.

Server, worker and store are processes of their own; each dies by SIGKILL and is started again. The store is the stand-in of Google's API
that keeps every object on the disk before it says so: Azurite cannot stand here, since it writes its index every few seconds and forgets
what it acknowledged. LOOP_KILLS=100 LOOP_SEED=7 kill more often, or at other moments.
"""

import hashlib
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import jobs, models, package, promotions
from core.contract import Promotion
from core.store import Store, open_store
from tests.contract import bodies
from tests.contract.doors import Answer, Ask, google
from tests.crash.test_uploads import HEADERS, TOKEN, check, kill
from tests.support import emulators, nurseries
from tests.support.ports import free_port
from tests.training import retraining
from training.dataset import BACTERIAL, NORMAL, VIRAL

pytestmark = pytest.mark.train

KILLS, SEED = int(os.environ.get("LOOP_KILLS", "20")), int(os.environ.get("LOOP_SEED", "4"))
LABELS = (NORMAL, BACTERIAL, NORMAL, VIRAL)
PICTURES, BATCH = 48, 4
LIMIT_S = 300.0
ADMIN = {"X-Admin-Token": TOKEN}


@cache
def picture(number: int) -> bytes:
    return retraining.picture(LABELS[number % len(LABELS)], 5000 + number)


class Loop:
    """All parts, those who use them in threads, and what they were told."""

    def __init__(self, folder: Path, stack: ExitStack, nursery: nurseries.Nursery, port: int) -> None:
        self.folder, self.stack, self.nursery, self.port = folder, stack, nursery, port
        self.acknowledged: dict[str, bytes] = {}
        self.labels: dict[str, str] = {}
        self.served: set[tuple[str, str]] = set()
        self.answers: dict[str, set[bytes]] = {}
        self.stop = threading.Event()
        self.failures: list[BaseException] = []
        self.worker: int | None = None
        self.codes: list[int] = []
        self.start_store()
        self.start_server()

    def start_store(self) -> None:
        self.emulator = self.stack.enter_context(emulators.durable(self.folder / "bucket", self.port))

    def start_server(self) -> None:
        settings = {"STORE": self.emulator.url, "ADMIN_TOKEN": TOKEN, "REFRESH_S": "1"}
        environ = {**self.emulator.environ, **{f"PNEUMONIA_{name}": text for name, text in settings.items()}}
        self.door = self.stack.enter_context(google(environ))

    def kill(self, part: str) -> bool:
        """Kill a part and start it again; return whether it was there to be killed."""
        if part == "worker":
            pid = self.worker
            if pid is None:
                return False
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it has just ended
                return False
        elif part == "server":
            kill(self.door.pid)
            self.start_server()
        else:
            assert self.emulator.process is not None
            self.emulator.process.kill()
            self.emulator.process.wait()
            self.start_store()
        return True

    def ask(self, ask: Ask) -> Answer | None:
        """Ask the server that is up just now; None where it breaks off."""
        try:
            return self.door.ask(ask)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            return None

    def upload(self) -> None:
        """Send the pictures over and over, a batch of a label at a time."""
        batches = [
            numbers[at : at + BATCH]
            for kind in range(len(LABELS))
            for numbers in [range(kind, PICTURES, len(LABELS))]
            for at in range(0, len(numbers), BATCH)
        ]
        for numbers in batches * 1000:
            if self.stop.is_set():
                return
            label = LABELS[numbers[0] % len(LABELS)]
            given = [picture(number) for number in numbers]
            answer = self.ask(Ask("POST", "/upload-data", bodies.multipart(*given), HEADERS, {"label": label}))
            if answer is not None and answer.status == 200:
                for data, outcome in zip(given, msgspec.json.decode(answer.body)["uploads"], strict=True):
                    assert outcome["outcome"] in ("stored", "duplicate"), outcome
                    assert outcome["sha256"] == hashlib.sha256(data).hexdigest()
                    self.labels[outcome["sha256"]] = label
                    self.acknowledged[outcome["sha256"]] = data
            else:
                assert answer is None or answer.status == 503, answer.body
            time.sleep(0.1)

    def predict(self) -> None:
        """Ask for one picture over and over: each version has one answer."""
        while not self.stop.is_set():
            answer = self.ask(Ask("POST", "/predict", picture(0)))
            if answer is not None:
                assert answer.status == 200, answer.body
                found = msgspec.json.decode(answer.body)
                self.served.add((found["model"]["version"], found["model"]["sha256"]))
                self.answers.setdefault(found["model"]["sha256"], set()).add(msgspec.json.encode([found["pneumonia"], found["findings"]]))
            time.sleep(0.02)

    def retrain(self) -> None:
        """Have a job, and somebody who works on it, all the time."""
        while not self.stop.is_set():
            job_id = self.job()
            if job_id is None:
                continue
            self.worker = self.nursery.start(
                "retrain",
                "--job",
                job_id,
                "--store",
                self.emulator.url,
                "--take-over",
                "--tracking",
                "none",
                "--work",
                str(self.folder / "work" / job_id),
            )
            self.codes.append(self.nursery.ended())
            self.worker = None

    def job(self) -> str | None:
        """Ask for a job; return it, or the one that is in the way."""
        answer = self.ask(Ask("POST", "/retrain", headers=ADMIN))
        if answer is not None and answer.status == 409:
            answer = self.ask(Ask("GET", "/retrain"))
        if answer is None or answer.status not in (200, 202):
            assert answer is None or answer.status == 503, answer.body
            return None
        found: dict[str, Any] = msgspec.json.decode(answer.body)
        return str(found["jobs"][0]["id"] if "jobs" in found else found["id"])

    def watched(self, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                self.failures.append(error)

        thread = threading.Thread(target=run, name=work.__name__)
        thread.start()
        return thread


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    port = free_port()
    settings = {"RETRAIN_EPOCHS": "2", "JOB_STALE_S": "600"}
    with ExitStack() as stack:
        emulator = stack.enter_context(ExitStack()).enter_context(emulators.durable(tmp_path / "bucket", port))
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        store = open_store(emulator.url)
        promotions.promote(
            store, models.push(store, retraining.champion(tmp_path / "champion", epochs=6)), promotions.BY_HAND, "to begin with"
        )
        assert emulator.process is not None
        emulator.process.kill()
        emulator.process.wait()
        nursery = stack.enter_context(nurseries.opened(tmp_path / "log", settings, emulator.environ))
        yield Loop(tmp_path, stack, nursery, port)


def active(store: Store) -> Promotion:
    latest = promotions.latest(store)
    assert latest is not None
    return latest


def check_whole(store: Store, folder: Path, known: dict[str, str]) -> None:
    """Every version that counts is whole and passes its self-test, the active one among them; `known` gets their digests."""
    latest = active(store)
    for version in models.versions(store):
        if version not in known:
            models.fetch(store, version, folder / version)
            known[version] = package.load(folder / version).identity.sha256
    assert known[latest.version] == latest.sha256


def wait_for(condition: Callable[[], bool], loop: Loop) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert not loop.failures, loop.failures
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.2)


def test_twenty_kills_lose_nothing_serve_nothing_half_and_the_loop_goes_on(loop: Loop, tmp_path: Path) -> None:
    chance, store = random.Random(SEED), open_store(loop.emulator.url)
    known: dict[str, str] = {}
    threads = [loop.watched(work) for work in (loop.upload, loop.predict, loop.retrain)]
    killed: list[str] = []
    try:
        wait_for(lambda: len(loop.acknowledged) >= PICTURES // 2 and bool(loop.served), loop)
        while len(killed) < KILLS:
            time.sleep(chance.uniform(0.0, 2.5))
            part = chance.choice(("server", "worker", "worker", "store"))
            if loop.kill(part):
                killed.append(part)
                check(store, dict(loop.acknowledged), loop.labels)
                check_whole(store, tmp_path / "fetched", known)
            assert not loop.failures, loop.failures
        # Nobody kills any more: what runs comes to its end, one more job begins and ends, and what it promotes is served.
        number = active(store).number
        wait_for(lambda: active(store).number >= number + 2, loop)
        latest = active(store)
        wait_for(lambda: (latest.version, latest.sha256) in loop.served, loop)
    finally:
        loop.stop.set()
        for thread in threads:
            thread.join()

    assert not loop.failures, loop.failures
    assert set(killed) == {"server", "worker", "store"}
    assert len(loop.acknowledged) == PICTURES
    check(store, loop.acknowledged, loop.labels)
    check_whole(store, tmp_path / "fetched", known)
    assert {sha256 for _, sha256 in loop.served} <= set(known.values())
    assert len(loop.served) >= 2
    assert {sha256: len(said) for sha256, said in loop.answers.items() if len(said) > 1} == {}
    assert {job.last.kind for job in jobs.recent(store) if job.last and job.ended} == {"done"}
    assert -signal.SIGKILL in loop.codes
