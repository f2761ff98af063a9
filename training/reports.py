"""Report files: replaced as a whole or not at all, and found to be unwritable before the work, not after it."""

import os
import tempfile
from pathlib import Path

from training import disk, errors


def check(target: Path) -> None:
    """Look whether a report can be written, before minutes go into it.

    Raises:
        errors.CannotWrite: the folder is missing or closed, or the name belongs to a folder.
    """
    if target.is_dir():
        raise errors.CannotWrite(f"Expected the name of a file. Received: {target}, which is a folder.")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise errors.CannotWrite(f"Expected a folder that can be written to. Received: {target.parent}: {error.strerror}.") from error


def write(target: Path, data: bytes) -> None:
    """Write a report, over an older one of that name: whoever has the old one open keeps it whole.

    Raises:
        errors.DiskFull, errors.CannotWrite: the disk is full, or closed by now.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(data)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise disk.explain(error, target) from error
