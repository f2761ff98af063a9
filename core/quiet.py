"""Keeps LiteRT's greeting, which has no switch, out of the log and off the terminal. Called by `core.bootstrap` while a model is loaded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_code() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a while. Python's exceptions are not lost: they are printed later."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
