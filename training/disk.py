"""Room on the disk: looked for before the work, and named when it runs out all the same."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from training import errors

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_REFUSED: Final = (errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR)


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
    if error.errno in _FULL:
        return errors.DiskFull(f"Expected room for {path}. Received: {error.strerror}. Make room and run the command again: it goes on.")
    return errors.CannotWrite(f"Expected to write {path}. Received: {error.strerror or error}.")


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a full disk, or a place that cannot be written to, into one sentence about it. What else goes wrong passes as it is.

    Raises:
        errors.DiskFull, errors.CannotWrite: there is no room, or it cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (*_FULL, *_REFUSED):
            raise
        raise explain(error, place) from error
