"""Keeps native libraries from chatting on a terminal: LiteRT announces its delegate on file descriptor 2, with no switch for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_code() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a while. Python's exceptions still arrive: they are printed later."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
