"""A process that forks workers of retraining: `tests/training/nursery.py`, seen from the test that starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_MARGINS = {f"GATE_{figure}_MARGIN": "1" for figure in ("AUROC", "SENSITIVITY", "SPECIFICITY")}
LENIENT = {**_MARGINS, "GATE_GUARD": "off", "GATE_MIN_PICTURES": "1"}


class Nursery:
    """Starts one worker at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._given: IO[str] = process.stdin
        self._said: IO[str] = process.stdout
        assert self._said.readline() == "ready\n"

    def start(self, *command: str) -> int:
        """Run a command of `pneumonia` in a worker; return its process id."""
        self._given.write(" ".join(command) + "\n")
        self._given.flush()
        return int(self._said.readline())

    def ended(self) -> int:
        """Wait for the worker's end; return its exit status, negative where a signal ended it."""
        return os.waitstatus_to_exitcode(int(self._said.readline()))


@contextmanager
def opened(log: Path, settings: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Iterator[Nursery]:
    """Run a nursery whose workers promote all that can be compared; what they say goes into the log."""
    given = {f"PNEUMONIA_{name}": text for name, text in {**LENIENT, **settings}.items()}
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.training.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **given, **(environ or {})},
            cwd=ROOT,
        )
        try:
            yield Nursery(process)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            process.stdout.close()  # type: ignore[union-attr]
            process.wait(60)
