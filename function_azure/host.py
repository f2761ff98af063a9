"""A small HTTP host for the Function App, for developers without Azure Functions Core Tools and for the tests.

    python -m function_azure.host --port 7071

It stands where Azure's host stands: HTTP on this side, Azure's Python runtime on the other (`function_azure.worker`). Where a caller could
tell, it does what Azure's host does: routes (`function_azure.routes`), a body only with Content-Length, keys by auth level, an empty 500
when a function raises.
"""

import argparse
import contextlib
import hmac
import json
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from function_azure import routes
from function_azure.worker import Function, HttpCall, Worker, WorkerError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_BODY_BYTES = 104_857_600  # Azure's FUNCTIONS_REQUEST_BODY_SIZE_LIMIT where it is not set
LOGGER = logging.getLogger("function_azure.host")


class Answer(Response):
    """Like Azure's, it has the content type that the function gave, or none."""

    default_mimetype = None


class Host:
    """The WSGI application around a worker. With a key, functions want it as their auth level says."""

    def __init__(self, worker: Worker, route_prefix: str, key: str | None) -> None:
        self.routes = routes.compile_routes(worker.functions, route_prefix)
        self.key = key
        self._worker = worker

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, request: Request) -> Answer:
        """Find the function, check the key and the length, read the body, call."""
        found = routes.find(self.routes, request.method, request.path)
        if found is None:
            return Answer(status=404)
        function, params = found
        if not self._may_call(function, request):
            return Answer(status=401)
        length_bytes = request.content_length or 0
        if length_bytes > MAX_BODY_BYTES:
            return Answer(status=413)
        call = HttpCall(
            method=request.method,
            url=request.url,
            headers={name.lower(): value for name, value in request.headers.items()},
            query={name: joined for name, values in request.args.lists() if (joined := ",".join(values))},
            params=params,
            body=request.get_data() if length_bytes else b"",
        )
        try:
            status, headers, body = self._worker.call(function, call)
        except WorkerError:
            LOGGER.exception("%s failed", function.name)
            return Answer(status=500)
        return Answer(body, status, dict(headers))

    def _may_call(self, function: Function, request: Request) -> bool:
        if self.key is None or function.auth_level == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.args.get("code", "")
        return hmac.compare_digest(given.encode(), self.key.encode())

    def describe(self, base_url: str) -> str:
        """Return what the start-up says: each function with its URL, methods and auth level, and whether keys are checked."""
        lines = [f"Listening on {base_url} (Ctrl+C ends it)", "Functions:"]
        for function, template, _pattern in self.routes:
            methods = ", ".join(function.methods) or "all methods"
            lines.append(f"  {function.name}: {base_url}{template} [{methods}] auth level {function.auth_level}")
        if self.key is None:
            lines.append("Keys are not checked; --enable-auth checks them as Azure does.")
        else:
            lines.append(f"Keys are checked. Send the header x-functions-key: {self.key} or open {base_url}/?code={self.key}")
        return "\n".join(lines)


class Handler(WSGIRequestHandler):
    """Werkzeug's, without a log line a request: core writes one."""

    timeout = 10  # seconds; the longest that a silent client can hold up the end

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class Server(ThreadedWSGIServer):
    """Werkzeug's, which closes only after the requests that run."""

    daemon_threads = False


@contextlib.contextmanager
def stage() -> Iterator[Path]:
    """Lay out a script root as the image does: `function_app.py` of this folder beside `host.json` of the repository."""
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory(prefix="wwwroot-") as folder:
        shutil.copy(here / "function_app.py", folder)
        shutil.copy(here.parent / "host.json", folder)
        yield Path(folder)


def serve(script_root: Path, address: str, port: int, key: str | None) -> None:
    """Serve an app until SIGTERM or SIGINT, then let the requests that run end.

    Raises:
        WorkerError: the app cannot be indexed.
    """
    settings = json.loads((script_root / "host.json").read_text())
    route_prefix = settings.get("extensions", {}).get("http", {}).get("routePrefix", "api")
    worker = Worker(script_root)
    host = Host(worker, route_prefix, key)
    server = Server(address, port, host, Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(host.describe(f"http://{address}:{server.port}"), flush=True)  # noqa: T201 - a program for the terminal
    server.serve_forever(poll_interval=0.1)
    worker.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the host from the command line."""
    parser = argparse.ArgumentParser(prog="python -m function_azure.host", description="Run the Function App without Azure's own host.")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=7071, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--script-root", type=Path, help="folder with function_app.py and host.json (default: a copy of the project's own)")
    parser.add_argument("--enable-auth", action="store_true", help="ask for a key where the auth level does")
    parser.add_argument("--key", help="the key for --enable-auth (default: a random one, which is printed)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    key = (given.key or secrets.token_urlsafe(24)) if given.enable_auth else None
    try:
        with contextlib.nullcontext(given.script_root.resolve()) if given.script_root else stage() as script_root:
            serve(script_root, given.address, given.port, key)
    except (WorkerError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
