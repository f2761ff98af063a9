"""A server as a process: start it, ask until it answers, say what memory it took, end it with all its workers."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple

HOST = "127.0.0.1"
POLL_S = 0.001  # between two attempts to connect: small beside the fastest start, and a refused connection costs 0.1 ms
STOP_S = 10.0
MEBIBYTE = 1024.0  # in the kibibytes of /proc


class ServerFailed(Exception):
    """A server ended, or did not answer in time; the message holds the end of what it wrote."""


class Start(NamedTuple):
    """One start: seconds from the process's creation to the first 200, and memory at that moment.

    Attributes:
        first_answer_s: seconds.
        peak_mib: largest resident sizes of all processes summed (VmHWM): pages that two share count twice. None without /proc.
        shared_out_mib: resident memory with shared pages divided among who maps them (Pss). None without /proc.
    """

    first_answer_s: float
    peak_mib: float | None
    shared_out_mib: float | None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def time_start(command: Sequence[str], environ: Mapping[str, str], folder: Path, port: int, picture: bytes, timeout_s: float) -> Start:
    """Start a server, post a picture until the first 200, measure its memory, end it.

    Args:
        command: starts the server.
        environ: its whole environment.
        folder: its working directory.
        port: where it will listen on HOST.
        picture: the body of POST /predict.
        timeout_s: how long the first 200 may take.

    Raises:
        ServerFailed: there was no 200 in time.
    """
    with tempfile.TemporaryFile() as log:
        start_s = perf_counter()
        server = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            status = None
            while status != http.client.OK:
                status = _post(port, picture, timeout_s)
                if server.poll() is not None or perf_counter() - start_s > timeout_s:
                    raise ServerFailed(f"No 200 within {timeout_s:g} s (last: {status}) from {' '.join(command)}\n{_tail(log.fileno())}")
            first_answer_s = perf_counter() - start_s
            tree = _tree(server.pid)
            return Start(first_answer_s, _sum_mib(tree, "status", "VmHWM"), _sum_mib(tree, "smaps_rollup", "Pss"))
        finally:
            _stop(server)


def _post(port: int, picture: bytes, timeout_s: float) -> int | None:
    """Post the picture once; return the status, or None after a short rest where nobody answers yet."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("POST", "/predict", picture, {"Content-Type": "image/jpeg"})
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        sleep(POLL_S)
        return None
    finally:
        connection.close()


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the process group: ask, then kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_S)


def _tree(root: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [root]
    for process in found:  # grows while it is walked
        found += children.get(process, [])
    return found


def _sum_mib(processes: Sequence[int], file: str, field: str) -> float | None:
    """Sum a field of /proc/PID/… in MiB."""
    total_kib, seen = 0, False
    for process in processes:
        with contextlib.suppress(OSError):
            match = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{process}/{file}").read_text(), re.MULTILINE)
            if match:
                total_kib, seen = total_kib + int(match[1]), True
    return total_kib / MEBIBYTE if seen else None


def _tail(descriptor: int) -> str:
    """Return the last lines of a log."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, 2000, max(0, size - 2000)).decode(errors="replace")
