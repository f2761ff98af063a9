"""A server on loopback that serves one file, and misbehaves as it is told."""

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """What the server holds and how it behaves; `requests` are the Range headers that it was asked with, in order."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = '"one"'
        self.ranges = True
        self.conditions = True
        """Whether If-Range is heeded."""
        self.break_after: list[int] = []
        """For each answer in turn: how many bytes of its body are sent before the connection is cut."""
        self.statuses: list[int] = []
        """For each request in turn: a status to answer with, instead of the file."""
        self.claimed_bytes: int | None = None
        self.shift = 0
        """How far the server misses the offset that was asked for."""
        self.requests: list[str] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        self.requests.append(asked)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            handler.send_error(status)
            return
        condition = handler.headers.get("If-Range")
        start = 0
        if asked and self.ranges and (condition in (None, self.etag) or not self.conditions):
            start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1)) + self.shift  # type: ignore[union-attr]
            if start >= len(self.content):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(self.content)}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        else:
            handler.send_response(200)
        body = self.content[start:]
        handler.send_header("Content-Length", str(self.claimed_bytes or len(body)))
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        handler.wfile.write(body[: self.break_after.pop(0)] if self.break_after else body)
        handler.close_connection = True


@contextlib.contextmanager
def opened(content: bytes) -> Iterator[Shop]:
    """Serve for the length of a `with`."""
    shop = Shop(content)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shop.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_address[1]}/file"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
