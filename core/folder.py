"""Files that are there whole or not at all, and outlive a power cut once they are acknowledged. `core.store` writes local folders with it.

A file is written under a name of its own beside its place, flushed to the disk, then linked or moved there: whoever is killed in between
leaves `NAME#NUMBER` behind, which obstore does not list, and nothing under the name itself.
"""

import os
import secrets
from pathlib import Path


def write(root: Path, key: str, data: bytes, *, over: bool) -> bool:
    """Write a file below a folder; durable when this returns.

    Args:
        root: the folder.
        key: the path below it, with slashes; folders in between are made.
        data: what it shall hold.
        over: whether to take the place of a file that is there.

    Returns:
        Whether this call wrote it: False where a file was there and `over` is not wanted; that one is durable then.

    Raises:
        OSError: it cannot be written.
    """
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    written = (over or not path.exists()) and _place(path, data, over=over)
    for parent in (path.parent, *(above for above in path.parent.parents if above.is_relative_to(root))):
        _flush(parent)
    return written


def _place(path: Path, data: bytes, *, over: bool) -> bool:
    stage = path.with_name(f"{path.name}#{secrets.randbelow(10**15)}")
    try:
        with stage.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if over:
            stage.replace(path)
            return True
        try:
            path.hardlink_to(stage)  # unlike a move, this fails where a file is
        except FileExistsError:
            return False
        return True
    finally:
        stage.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
