"""A server on loopback in a cloud's place: it notes what it is asked, and answers what it is told."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

Json = dict[str, Any]


class Asked(NamedTuple):
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json | None


class Cloud:
    """`answers` holds for the start of a path what it answers; a list is used up one by one, and its last one stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
        self.url = ""
        self.silent = threading.Event()
        """While clear, nothing is answered at all."""
        self.silent.set()

    def on(self, method: str, start: str, *answers: tuple[int, object]) -> None:
        """Say what is answered to a method on paths that start so."""
        self.answers[method, start] = [(status, body if isinstance(body, bytes) else msgspec.json.encode(body)) for status, body in answers]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        body = _body(handler.rfile.read(length), handler.headers.get("Content-Type", "")) if length else None
        self.asked.append(Asked(handler.command, handler.path, {key.lower(): value for key, value in handler.headers.items()}, body))
        self.silent.wait(20)
        fitting = [key for key in self.answers if key[0] == handler.command and handler.path.startswith(key[1])]
        status, data = 404, b"{}"
        if fitting:
            answers = self.answers[max(fitting, key=lambda key: len(key[1]))]
            status, data = answers.pop(0) if len(answers) > 1 else answers[0]
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(data)


def _body(data: bytes, media_type: str) -> Json:
    """Return a form or JSON."""
    if media_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(data.decode()))
    decoded: Json = msgspec.json.decode(data)
    return decoded


@contextlib.contextmanager
def opened() -> Iterator[Cloud]:
    """Serve for the length of a `with`."""
    cloud = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cloud.answer(self)

        def do_POST(self) -> None:
            cloud.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield cloud
    finally:
        cloud.silent.set()
        server.shutdown()
        server.server_close()
        thread.join()
