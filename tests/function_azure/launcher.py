"""Start the Azure host as a process of its own, on a free port: `with azure_host() as host: … host.base_url`."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT_S = 30
END_LIMIT_S = 15


@dataclass(frozen=True)
class AzureHost:
    """A host that listens."""

    base_url: str
    startup: str
    process: subprocess.Popen[str]
    log: Path
    """What it writes to standard error."""


def start(log: IO[str], *arguments: str, environ: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """Start a host on a free port; the project is importable from any folder, as if it were installed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PNEUMONIA_")}
    return subprocess.Popen(
        [sys.executable, "-m", "function_azure.host", "--port", "0", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(REPOSITORY), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )


@contextlib.contextmanager
def azure_host(*arguments: str, environ: Mapping[str, str] | None = None, folder: Path = REPOSITORY) -> Iterator[AzureHost]:
    """Run a host for the length of a `with` block.

    Args:
        arguments: of `python -m function_azure.host`, beside the port. Without `--script-root` it runs the project's own app.
        environ: added to this process's environment, of which no `PNEUMONIA_` variable is passed on.
        folder: where it is started.
    """
    with (
        tempfile.NamedTemporaryFile("w", prefix="azure-host-", suffix=".log") as log,
        start(log, *arguments, environ=environ or {}, folder=folder) as process,
    ):
        try:
            startup = read_startup(process)
            listening = re.search(r"http://[\d.:]+", startup)
            assert listening, f"The host ended with {process.wait()}: {Path(log.name).read_text()}"
            yield AzureHost(listening[0], startup, process, Path(log.name))
        finally:
            end(process)


def read_startup(process: subprocess.Popen[str]) -> str:
    """Return what a host prints up to its last line about keys, or what it printed before it ended."""
    watchdog = threading.Timer(START_LIMIT_S, process.kill)
    watchdog.start()
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Keys are"):
            break
    watchdog.cancel()
    return "".join(lines)


def end(process: subprocess.Popen[str]) -> None:
    """End a host that may have ended already."""
    process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
