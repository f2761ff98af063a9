"""What the commands share that go through many pictures: the same command goes on where it was interrupted, and says so."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.kept import Kept

FOLDER = Path("runs/answers")


def kept(command: str, folders: Sequence[Path], asked: Mapping[str, str] = {}) -> "AbstractContextManager[Kept]":
    """Give what an interrupted run of the same command has answered; it is removed where the block ends well.

    Args:
        command: the command.
        folders: of the pictures.
        asked: all else that an answer depends on.
    """
    from training import kept

    places = "\n".join(str(folder.resolve()) for folder in folders)
    return told(kept.opened(FOLDER, command, {"folders": places, **asked}))


@contextmanager
def told(opened: "AbstractContextManager[Kept]") -> "Iterator[Kept]":
    """Give the same, and say on standard error how much of it there is."""
    with opened as found:
        if found.count:
            print(f"going on after an interruption: {found.count} answers are there already", file=sys.stderr)
        yield found
