"""A process that forks workers of the lab: `tests/training/nursery.py`, seen from the tests that start workers, and kill them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_MARGINS = {f"GATE_{figure}_MARGIN": "1" for figure in ("AUROC", "SENSITIVITY", "SPECIFICITY")}
LENIENT = {**_MARGINS, "GATE_GUARD": "off", "GATE_MIN_PICTURES": "1"}


def lenient(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a retraining that promotes all that can be compared."""
    return {f"PNEUMONIA_{name}": text for name, text in {**LENIENT, **settings}.items()}


class Nursery:
    """Starts one worker at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._given: IO[str] = process.stdin
        self._said: IO[str] = process.stdout
        self._pid: int | None = None
        assert self._said.readline() == "ready\n"

    def start(self, *command: str, folder: Path = ROOT, environ: Mapping[str, str] = {}, log: Path = Path(os.devnull)) -> int:
        """Run a command of `pneumonia` in a worker; return its process id. What it says is added to the log."""
        self.clear()
        asked = {"command": command, "folder": str(folder), "environ": dict(environ), "log": str(log)}
        self._given.write(json.dumps(asked) + "\n")
        self._given.flush()
        self._pid = int(self._said.readline())
        return self._pid

    def ended(self) -> int:
        """Wait for the worker's end; return its exit status, negative where a signal ended it."""
        code = os.waitstatus_to_exitcode(int(self._said.readline()))
        self._pid = None
        return code

    def clear(self) -> None:
        """End the worker that a test has left behind."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self.ended()


@contextmanager
def opened() -> Iterator[Nursery]:
    """Run a nursery."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.training.nursery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    try:
        nursery = Nursery(process)
        yield nursery
        nursery.clear()
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.stdout.close()  # type: ignore[union-attr]
        process.wait(60)
