"""The three doors as a caller sees them: one `ask`, whether there is a process behind it or not."""

import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlencode

from core.bootstrap import bootstrap
from core.contract import Request

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Ask(NamedTuple):
    """What a caller sends. `chunked` sends the body without its length."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    chunked: bool = False


class Door(Protocol):
    """Something that answers."""

    def ask(self, ask: Ask) -> Answer: ...


class CoreDoor:
    """`Service.handle`, called as a door calls it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._service = bootstrap(environ)

    def ask(self, ask: Ask) -> Answer:
        headers = {name.lower(): value for name, value in ask.headers.items()}
        if not ask.chunked and (ask.body or ask.method in ("POST", "PUT", "PATCH")):
            headers["content-length"] = str(len(ask.body))
        query = dict(parse_qsl(urlencode(ask.query)))
        response = self._service.handle(Request(method=ask.method, path=ask.path, query=query, headers=headers, body=io.BytesIO(ask.body)))
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, response.body)


class HttpDoor:
    """A process that speaks HTTP on a loopback port."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def ask(self, ask: Ask) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        target = ask.path + ("?" + urlencode(ask.query) if ask.query else "")
        try:
            if ask.chunked:
                pieces = iter([ask.body] if ask.body else [])
                connection.request(ask.method, target, pieces, {**ask.headers, "Transfer-Encoding": "chunked"}, encode_chunked=True)
            else:
                connection.request(ask.method, target, ask.body or None, dict(ask.headers))
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()


@contextmanager
def google(environ: Mapping[str, str]) -> Iterator[HttpDoor]:
    """Start functions-framework as `make serve` does."""
    port = _free_port()
    command = ["functions_framework", "--source", "function_gcp/main.py", "--target", "pneumonia", "--port", str(port)]
    with _process([sys.executable, "-m", *command, "--host", "127.0.0.1"], environ, port) as door:
        yield door


@contextmanager
def azure(environ: Mapping[str, str], *options: str) -> Iterator[HttpDoor]:
    """Start the Function App on Azure's Python runtime as `make serve-azure` does."""
    port = _free_port()
    with _process([sys.executable, "-m", "function_azure.host", "--port", str(port), *options], environ, port) as door:
        yield door


@contextmanager
def _process(command: list[str], environ: Mapping[str, str], port: int) -> Iterator[HttpDoor]:
    """Run a server until the block ends; then SIGTERM by its process id."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PNEUMONIA_")}
    with tempfile.TemporaryFile() as log:  # not a pipe: nobody reads it, and a full one would stop the server
        process = subprocess.Popen(command, cwd=ROOT, env={**clean, **environ}, stdout=log, stderr=subprocess.STDOUT)
        try:
            door = HttpDoor(port, process.pid)
            _wait_until_it_answers(door, process, log)
            yield door
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_it_answers(door: HttpDoor, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        try:
            door.ask(Ask("GET", "/health/live"))
            return
        except OSError:
            if process.poll() is not None:
                log.seek(0)
                raise AssertionError(f"The server ended: {log.read().decode()}") from None
            time.sleep(0.05)
    raise AssertionError("The server did not answer in time.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
