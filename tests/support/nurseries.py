"""A process that forks workers of the lab: `tests/training/nursery.py`, seen from the tests that start workers, and kill them."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_MARGINS = {f"GATE_{figure}_MARGIN": "1" for figure in ("AUROC", "SENSITIVITY", "SPECIFICITY")}
_LENIENT = {**_MARGINS, "GATE_GUARD": "off", "GATE_MIN_PICTURES": "1"}


def lenient(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a retraining that promotes all that can be compared."""
    return {f"PNEUMONIA_{name}": text for name, text in {**_LENIENT, **settings}.items()}


class Nursery:
    """Starts one worker at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._given: IO[str] = process.stdin
        self._said: IO[str] = process.stdout
        self._pid: int | None = None
        assert self._said.readline() == "ready\n"

    def start(self, *command: str, log: Path, folder: Path = ROOT, environ: Mapping[str, str] = {}) -> int:
        """Run a command of `pneumonia` in a worker; return its process id.

        Args:
            command: its words.
            log: file that what the worker says is added to.
            folder: where it runs.
            environ: what is added to the environment that the nursery was opened in.
        """
        self.clear()
        asked = {"command": command, "folder": str(folder), "environ": dict(environ), "log": str(log.resolve())}
        self._given.write(json.dumps(asked) + "\n")
        self._given.flush()
        self._pid = self._heard()
        return self._pid

    def kill(self) -> int:
        """Kill the worker, so that no handler of its own can run; return its exit status, which tells whether it had ended before."""
        assert self._pid is not None
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        return self.ended()

    def ended(self) -> int:
        """Wait for the worker's end; return its exit status, negative where a signal ended it."""
        self._pid = None
        return os.waitstatus_to_exitcode(self._heard())

    def alive(self) -> bool:
        """Whether the worker has not ended."""
        return not select.select([self._said], [], [], 0)[0]

    def clear(self) -> None:
        """End the worker that a test has left behind."""
        if self._pid is not None:
            self.kill()

    def _heard(self) -> int:
        said = self._said.readline()
        assert said, "The nursery has ended."
        return int(said)


@contextmanager
def opened() -> Iterator[Nursery]:
    """Run a nursery."""
    command, environ = [sys.executable, "-m", "tests.training.nursery"], {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT) as process:
        nursery = Nursery(process)
        try:
            yield nursery
        finally:
            nursery.clear()
