"""All parts of the living model as processes that may be killed, and threads that upload, predict and retrain all the time."""

import hashlib
import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.contract import bodies
from tests.contract.doors import Answer, Ask, google
from tests.crash.test_uploads import HEADERS, TOKEN, kill
from tests.support import emulators, nurseries
from tests.training import retraining
from training.names import BACTERIAL, NORMAL, VIRAL

LABELS = (NORMAL, BACTERIAL, NORMAL, VIRAL)
PICTURES, BATCH = 48, 4
ADMIN = {"X-Admin-Token": TOKEN}


@cache
def picture(number: int) -> bytes:
    return retraining.picture(LABELS[number % len(LABELS)], 5000 + number)


class Loop:
    """All parts, those who use them in threads, and what they were told."""

    def __init__(self, folder: Path, stack: ExitStack, nursery: nurseries.Nursery, environ: Mapping[str, str], port: int) -> None:
        self.folder, self.stack, self.nursery, self.environ, self.port = folder, stack, nursery, environ, port
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
            time.sleep(0.3)

    def predict(self) -> None:
        """Ask for one picture over and over: each version has one answer."""
        while not self.stop.is_set():
            answer = self.ask(Ask("POST", "/predict", picture(0)))
            if answer is not None:
                assert answer.status == 200, answer.body
                found = msgspec.json.decode(answer.body)
                self.served.add((found["model"]["version"], found["model"]["sha256"]))
                self.answers.setdefault(found["model"]["sha256"], set()).add(msgspec.json.encode([found["pneumonia"], found["findings"]]))
            time.sleep(0.2)

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
                environ=self.environ,
                log=self.folder / "log",
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
