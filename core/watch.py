"""How retraining stands, told within a moment even where the store hangs: `/status` must answer then most of all.

Called by `core.endpoints`.
"""

import threading
from time import monotonic
from typing import Final, NamedTuple

from core import errors, jobs
from core.store import Store

LIMIT_S: Final = 2.0
"""How long an answer waits for the store; what usually takes eight small reads, a few tenths of a second in a cloud."""


class Retraining(NamedTuple):
    """When the last retraining was done with what came of it, and the job that waits or runs; None for none, or none that is told."""

    last: str | None = None
    running_id: str | None = None


class _Look:
    """One question to the store, in a thread of its own."""

    def __init__(self, store: Store, stale_s: float) -> None:
        self._store, self._stale_s = store, stale_s
        self._until = monotonic() + LIMIT_S
        self._found = Retraining()
        self._thread = threading.Thread(target=self._ask, name="watch", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> bool:
        return self._thread.is_alive()

    def wait(self) -> Retraining:
        """Return what was found; nothing where the moment is over, for those that ask later at once."""
        self._thread.join(max(0.0, self._until - monotonic()))
        return self._found

    def _ask(self) -> None:
        try:
            self._found = Retraining(*jobs.summary(self._store, self._stale_s))
        except errors.StoreUnavailable:
            return  # the reload error and the routes of retraining say so


class Watch:
    """Asks a store how retraining stands, one question at a time; thread-safe. Made after a fork: it starts threads."""

    def __init__(self, store: Store, stale_s: float) -> None:
        self._store, self._stale_s = store, stale_s
        self._lock = threading.Lock()
        self._look: _Look | None = None

    def tell(self) -> Retraining:
        """Return how retraining stands; waits at most `LIMIT_S`, and not at all while a question before it hangs."""
        with self._lock:
            if self._look is None or not self._look.pending:
                try:
                    self._look = _Look(self._store, self._stale_s)
                except RuntimeError:  # no more threads to be had
                    return Retraining()
            look = self._look
        return look.wait()
