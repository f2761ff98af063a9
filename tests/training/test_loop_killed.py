"""The whole loop while its parts are killed at random: upload, retrain, promote, reload.

Server, worker and store are processes of their own; each dies by SIGKILL and is started again. The store is the stand-in of Google's API
that keeps every object on the disk before it says so: Azurite cannot stand here, since it writes its index every few seconds and forgets
what it acknowledged. LOOP_KILLS=100 LOOP_SEED=7 kill more often, or at other moments.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core import jobs, models, package, promotions
from core.contract import Promotion
from core.store import Store, open_store
from tests.crash.test_uploads import check
from tests.support import emulators, nurseries
from tests.support.nurseries import Nursery
from tests.support.ports import free_port
from tests.training.loop import PICTURES, Loop

pytestmark = pytest.mark.train

KILLS, SEED = int(os.environ.get("LOOP_KILLS", "20")), int(os.environ.get("LOOP_SEED", "4"))
LIMIT_S = 300.0


@pytest.fixture
def loop(tmp_path: Path, champion: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    port = free_port()
    settings = {"RETRAIN_EPOCHS": "2", "JOB_STALE_S": "600"}
    with ExitStack() as stack:
        emulator = stack.enter_context(ExitStack()).enter_context(emulators.durable(tmp_path / "bucket", port))
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        store = open_store(emulator.url)
        promotions.promote(store, models.push(store, champion), promotions.BY_HAND, "to begin with")
        assert emulator.process is not None
        emulator.process.kill()
        emulator.process.wait()
        yield Loop(tmp_path, stack, nursery, {**nurseries.lenient(settings), **emulator.environ}, port)


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
            time.sleep(chance.uniform(0.0, 4.0))
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
