"""`/retrain` over `Service.handle`: asked for, watched, refused while one runs, told when nobody can run it."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core import jobs, watch, worker
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Response
from core.living import RetrainOutcome
from core.store import Store, open_store
from tests.support.requests import get, read

TOKEN = "admin-token-of-the-tests"


def ask(service: Service) -> Response:
    import msgspec

    return service.handle(msgspec.structs.replace(get("/retrain", {"x-admin-token": TOKEN}), method="POST"))


def open_service(tmp_path: Path, **settings: str) -> Service:
    given = {"store": tmp_path.as_uri(), "admin_token": TOKEN, **settings}
    return bootstrap({**os.environ, **{f"PNEUMONIA_{name.upper()}": value for name, value in given.items()}})


def test_job_is_asked_for_and_watched(tmp_path: Path) -> None:
    service = open_service(tmp_path)
    response = ask(service)
    body = read(response)
    assert (response.status, response.headers["Location"]) == (202, "/retrain/00000001")
    assert (body["id"], body["state"], body["progress"], body["outcome"]) == ("00000001", "queued", 0.0, None)

    store = open_store(tmp_path.as_uri())
    held = worker.claim(store, "1", "w", 600)
    held.progress(0.25, force=True)
    assert read(service.handle(get("/retrain/00000001")))["progress"] == 0.25
    held.done(RetrainOutcome(result="promoted", version="0.2.0"))
    done = read(service.handle(get("/retrain/1")))
    assert (done["state"], done["progress"], done["outcome"]["result"], done["outcome"]["version"]) == ("done", 1.0, "promoted", "0.2.0")
    assert read(service.handle(get("/retrain")))["jobs"] == [done]


def test_of_two_simultaneous_requests_one_gets_202_and_the_other_409_with_the_job(tmp_path: Path) -> None:
    services = [open_service(tmp_path), open_service(tmp_path)]
    barrier = threading.Barrier(2)

    def answer(service: Service) -> tuple[int, dict[str, Any]]:
        barrier.wait()
        response = ask(service)
        return response.status, read(response)

    for number in range(1, 6):
        with ThreadPoolExecutor(2) as pool:
            (good, accepted), (bad, refused) = sorted(pool.map(answer, services), key=lambda pair: pair[0])
        assert (good, bad, refused["code"]) == (202, 409, "job_running")
        assert f"job {accepted['id']}" in refused["detail"]
        worker.claim(open_store(tmp_path.as_uri()), str(number), "w", 600).fail("x")


def test_job_that_nobody_runs_is_failed_and_another_may_be_asked_for(tmp_path: Path) -> None:
    service = open_service(tmp_path, launcher="process", retrain_command="/nowhere/pneumonia retrain")
    for number in ("1", "2"):
        response = ask(service)
        assert (response.status, read(response)["code"]) == (502, "launcher_failed")
        job = read(service.handle(get(f"/retrain/{number}")))
        assert (job["state"], job["outcome"]["result"]) == ("failed", "failed")
        assert "No such file" in job["outcome"]["reasons"][0]


def test_launched_process_runs_the_job(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import sys; from core import worker; from core.living import RetrainOutcome; from core.store import open_store\n"
        f"held = worker.claim(open_store({tmp_path.as_uri()!r}), sys.argv[-1], 'w', 600)\n"
        "held.done(RetrainOutcome(result='kept', reasons=('a test',)))\n"
    )
    root = str(Path(__file__).parents[2])
    os.environ["PYTHONPATH"] = root
    try:
        service = open_service(tmp_path, launcher="process", retrain_command=f"{sys.executable} {tmp_path / 'run.py'}")
    finally:
        del os.environ["PYTHONPATH"]
    assert ask(service).status == 202
    end = time.monotonic() + 60
    while (job := read(service.handle(get("/retrain/1"))))["state"] != "done" and time.monotonic() < end:
        threading.Event().wait(0.05)
    assert job["outcome"]["reasons"] == ["a test"]


def test_interrupted_job_shows_as_such(tmp_path: Path) -> None:
    service = open_service(tmp_path, job_stale_s="1")
    store = open_store(tmp_path.as_uri())
    long_ago = 1_000_000.0
    worker.claim(store, jobs.create(store, "r", 1, lambda: long_ago).id, "w", 1, clock=lambda: long_ago)
    assert read(service.handle(get("/retrain/1")))["state"] == "interrupted"

    assert ask(service).status == 202
    assert [job["state"] for job in read(service.handle(get("/retrain")))["jobs"]] == ["queued", "abandoned"]


@pytest.mark.parametrize(
    ("settings", "status", "code"),
    [
        ({"admin_token": ""}, 503, "invalid_settings"),
        ({"launcher": "cloud-run"}, 503, "invalid_settings"),
        ({"launcher": "Process"}, 503, "invalid_settings"),
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path: Path, settings: dict[str, str], status: int, code: str) -> None:
    response = open_service(tmp_path, **settings).handle(get("/health/ready"))

    assert (response.status, read(response)["code"]) == (status, code)


def test_path_with_too_little_or_too_much_is_no_route(tmp_path: Path) -> None:
    service = open_service(tmp_path)
    for path in ("/retrain/", "/retrain/1/2", "/retrain//1"):
        assert read(service.handle(get(path)))["code"] == "unknown_route"
    assert service.handle(get("/retrain/x")).status == 404


def test_status_tells_of_the_job_that_runs_and_of_the_last_that_was_done(tmp_path: Path) -> None:
    service, store = open_service(tmp_path), open_store(tmp_path.as_uri())

    def told() -> tuple[object, object]:
        status = read(service.handle(get("/status")))
        return status["last_retrained"], status["running_job"]

    assert told() == (None, None)
    ask(service)
    assert told() == (None, "00000001")
    done = RetrainOutcome(result="promoted", version="0.2.0")
    worker.claim(store, "1", "w", 600, clock=lambda: 1e9).done(done)
    assert told() == ("2001-09-09T01:46:40Z promoted 0.2.0", None)
    ask(service)
    assert told() == ("2001-09-09T01:46:40Z promoted 0.2.0", "00000002")


class Hanging(Store):
    """A store that answers nothing until it is let."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._backend, store._folder)
        self.let = threading.Event()
        self.asked = 0

    def children(self, prefix: str) -> list[str]:
        self.asked += 1
        assert self.let.wait(60)
        return super().children(prefix)


def test_status_waits_a_moment_for_a_store_that_hangs_and_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LIMIT_S", 0.2)
    store = open_store(tmp_path.as_uri())
    jobs.create(store, "r", 600)
    hanging = Hanging(store)
    told = watch.Watch(hanging, 600.0)

    begin = time.monotonic()
    assert told.tell() == watch.Retraining()
    first_s = time.monotonic() - begin
    assert 0.2 <= first_s < 10.0
    begin = time.monotonic()
    for _ in range(50):
        assert told.tell() == watch.Retraining()
    assert time.monotonic() - begin < 50 * 0.2
    assert hanging.asked == 1

    hanging.let.set()
    deadline = time.monotonic() + 60
    while told.tell() != watch.Retraining(None, "00000001"):
        assert time.monotonic() < deadline
