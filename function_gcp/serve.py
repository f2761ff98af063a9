"""Cloud Run's command: `python -m function_gcp.serve` runs functions-framework's application in gunicorn, as an unprivileged user.

The image starts Azure's host by itself, which wants root; this command takes its place on Cloud Run. It differs from the command line of
functions-framework in what a container needs: threads matched to the processors, no file written outside /dev/shm, nothing kept as root,
and an end that fits into the ten seconds between Cloud Run's SIGTERM and SIGKILL.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import flask

NOBODY: Final = 65532
"""User and group that serve: the number that images without a shell use for it. It owns no file."""
_GRACE_S: Final = 9  # Cloud Run kills 10 s after SIGTERM
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - in memory, there on a read-only root too; gunicorn's heartbeat is a file without a name
_FEWEST_THREADS: Final = 2  # on one processor a probe must get through while a picture is read


def load() -> "flask.Flask":
    """Return functions-framework's application with its model loaded: gunicorn calls this in the worker, before it takes a request."""
    from functions_framework import create_app

    from core.bootstrap import shared
    from function_gcp.launcher import LAUNCHERS

    app: flask.Flask = create_app("pneumonia", str(Path(__file__).with_name("main.py")), "http")  # type: ignore[no-untyped-call]
    shared(LAUNCHERS)
    return app


def gunicorn_arguments(host: str, port: int, threads: int) -> list[str]:
    """Return gunicorn's command line."""
    command = ["gunicorn", f"--bind={host}:{port}", "--workers=1", "--worker-class=gthread", f"--threads={threads}", "--timeout=0"]
    quiet = [f"--graceful-timeout={_GRACE_S}", "--no-control-socket", "--log-level=error", "--limit-request-line=0"]
    return [*command, *quiet, f"--worker-tmp-dir={_SHARED_MEMORY}", "function_gcp.serve:load()"]


def leave_root(user: int) -> None:
    """Become another user, for good, where this process is root; end where that is not allowed."""
    if os.getuid() or not user:
        return
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    except PermissionError:
        sys.exit(f"Expected to be allowed to become user {user}. Received: a refusal; start the container as that user.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; gunicorn does not return."""
    parser = argparse.ArgumentParser(prog="python -m function_gcp.serve", description="Serve on Cloud Run, or wherever $PORT says where.")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: %(default)s)")  # noqa: S104 - a container's
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8080", help="port (default: $PORT, else 8080)")
    threads = max(_FEWEST_THREADS, os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=threads, help="requests at once (default: one a processor, at least 2)")
    parser.add_argument("--user", type=int, default=NOBODY, help="number of the user that root becomes (default: %(default)s; 0 stays)")
    given = parser.parse_args(arguments)
    leave_root(given.user)
    from gunicorn.app.wsgiapp import run  # after the options: a wrong one is told at once

    sys.argv = gunicorn_arguments(given.host, given.port, given.threads)
    run()


if __name__ == "__main__":
    main()
