"""What a fit leaves in its folder after every epoch: how far it is, what was measured, which network is kept. Written by `training.fit`.

The state file is replaced last and counts: what lies beside it without being named there is of an epoch that was interrupted.
"""

import csv
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from training.configuration import Configuration

_log = logging.getLogger(__name__)

BEST_FILE: Final = "best.keras"
HISTORY_FILE: Final = "history.csv"
STATE_FILE: Final = "state.json"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands. `done` counts whole epochs over both phases.

    `precision` and `learned_on`, the version of each Keras backend by its name, say how they were learned; empty in runs of before they
    were noted.
    """

    done: int = 0
    precision: str = ""
    learned_on: dict[str, str] = {}
    checkpoint: str = ""
    best_loss: float | None = None
    best_epoch: int = 0


def read(work: Path) -> State | None:
    """Return where the run in a folder stands; None where there is none.

    Raises:
        msgspec.DecodeError: the file is damaged.
    """
    path = work / STATE_FILE
    return msgspec.json.decode(path.read_bytes(), type=State) if path.is_file() else None


def last_epoch(best: int, head_epochs: int, epochs: int, patience: int) -> int:
    """Return the epoch after which a run ends if none is better than `best`; those of the head alone are not waited for."""
    return min(head_epochs + epochs, max(best, head_epochs) + patience) if patience else head_epochs + epochs


def enough(state: State, configuration: Configuration) -> bool:
    """Return whether a run is at its end: all epochs are done, or patience has run out."""
    return state.done >= last_epoch(state.best_epoch, configuration.head_epochs, configuration.epochs, configuration.patience)


def replace(path: Path, content: bytes | Callable[[Path], Any]) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half.

    Args:
        path: of the file.
        content: its bytes, or what writes them to the path that it is given.
    """
    beside = path.with_name(f"new-{path.name}")
    if isinstance(content, bytes):
        beside.write_bytes(content)
    else:
        content(beside)
    beside.replace(path)


def note(path: Path, row: dict[str, float]) -> None:
    """Append one epoch to the history."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)
    _log.info("%s", ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
