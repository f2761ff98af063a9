"""A service whose every answer is altered on its way out, behind a real HTTP server: what a broken deployment looks like."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.contract.doors import Answer, Ask, CoreDoor

Change = Callable[[Ask, Answer], Answer]


@contextmanager
def serve(core: CoreDoor, change: Change) -> Iterator[str]:
    """Serve core over HTTP on loopback with every answer changed; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body go out as two writes

        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            chunked = "Transfer-Encoding" in self.headers
            body = b"" if chunked else self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if chunked:
                self.rfile.readline()
                self.rfile.readline()
            headers = {name.lower(): value for name, value in self.headers.items()}
            ask = Ask(self.command, path, body, headers, dict(parse_qsl(query)), chunked)
            answer = change(ask, core.ask(ask))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
