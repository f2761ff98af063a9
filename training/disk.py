"""Room on the disk: looked for before the work, and named when it runs out all the same."""

import errno
import shutil
from pathlib import Path

from training import errors


def need(folder: Path, size_bytes: int) -> None:
    """Look whether the disk has room.

    Raises:
        errors.DiskFull: it has not.
    """
    free = shutil.disk_usage(folder).free
    if size_bytes > free:
        raise errors.DiskFull(
            f"Expected {size_bytes:,} bytes of room in {folder}. Received: {free:,}. Make room and run the command again."
        )


def explain(error: OSError, path: Path) -> errors.TrainingError:
    """Turn what the operating system says of writing a file into an error with a code."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.DiskFull(f"Expected room for {path}. Received: {error.strerror}. Make room and run the command again: it goes on.")
    return errors.CannotWrite(f"Expected to write {path}. Received: {error.strerror or error}.")
