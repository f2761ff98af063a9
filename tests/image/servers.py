"""A server as a process in the foreground, whether bare or in a container: wait until it answers, look at it, end it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.contract.doors import Ask, HttpDoor
from tests.image.engines import ROOT, Options
from tests.support.ports import free_port

START_LIMIT_S = 60
END_LIMIT_S = 30


class Way(NamedTuple):
    """One of the two ways to serve: bare on this machine, and as options of a container. Both listen on loopback."""

    bare: Callable[[int], list[str]]
    contained: Callable[[int], Options]


def _google(port: int) -> Options:
    return Options(command=["python", "-m", "function_gcp.serve", "--host", "127.0.0.1"], environ={"PORT": str(port)})


def _azure(port: int) -> Options:
    return Options(environ={"ASPNETCORE_URLS": f"http://127.0.0.1:{port}", "PNEUMONIA_AZURE_AUTH_LEVEL": "ANONYMOUS"})


WAYS = {
    # As root the interpreter of a developer may be out of everybody else's reach: --user 0 stays what it is.
    "google": Way(lambda port: [sys.executable, "-m", "function_gcp.serve", "--user=0", "--host=127.0.0.1", f"--port={port}"], _google),
    "azure": Way(lambda port: [sys.executable, "-m", "function_azure.host", f"--port={port}"], _azure),
}


class Served(NamedTuple):
    """A server that answers."""

    door: HttpDoor
    process: "subprocess.Popen[bytes]"
    log: Callable[[], str]

    def end(self) -> tuple[int, float]:
        """Ask it to end; return its exit status and the seconds that it took."""
        asked_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(END_LIMIT_S)
        return status, time.monotonic() - asked_s


def clean_environ() -> dict[str, str]:
    """Return this process's environment without settings, and as the image sets it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PNEUMONIA_")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@contextmanager
def serving(command: Sequence[str], port: int, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run a server until the block ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ or clean_environ(), stdout=log, stderr=subprocess.STDOUT)
        served = Served(HttpDoor(port, process.pid), process, lambda: os.pread(log.fileno(), 20_000, 0).decode(errors="replace"))
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()
            process.wait(END_LIMIT_S)


@contextmanager
def bare(way: str) -> Iterator[Served]:
    """Serve from this checkout."""
    port = free_port()
    with serving(WAYS[way].bare(port), port) as served:
        yield served


def _wait(served: Served) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            served.door.ask(Ask("GET", "/health/live"))
            return
        assert served.process.poll() is None, f"The server ended: {served.log()}"
        time.sleep(0.02)
    raise AssertionError(f"The server did not answer in time: {served.log()}")


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    found = [root]
    for process in found:  # grows while it is walked
        with suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def peak_mib(process: int) -> float:
    """Return the largest resident size of a process in MiB."""
    return _status(process, "VmHWM") / 1024


def user(process: int) -> int:
    """Return whose a process is."""
    return _status(process, "Uid")


def _status(process: int, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found, field
    return int(found[1])
