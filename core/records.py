"""What was predicted, kept in the store for `pneumonia drift`: a line a picture, without anything that leads to a patient.

Off unless the deployment asks for it. Lines wait in memory and are written in batches by a thread, so that no request waits for the store;
what waits when a process is killed is lost. It is a sample to watch a model by, not an audit log.
"""

import atexit
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import msgspec

from core import contract, errors
from core.logs import LOGGER
from core.rejections import Rejected
from core.store import Store

PREFIX: Final = "predictions/"
_BATCH: Final = 100
_LONGEST_WAIT_S: Final = 60.0
_MOST_WAITING: Final = 10_000  # while the store does not answer; about 3 MB
_HOUR: Final = "%Y-%m-%dT%H:00Z"  # no finer: with a hospital's schedule a second would name the patient


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One answered picture. No request id, no size, no time of day finer than the hour."""

    hour: str
    model: str
    version: str
    probability: float | None
    """None for a picture that the guard refused; its decision is then "rejected"."""
    decision: str
    operating_point: str | None
    most_probable: str | None
    guard: str
    guard_distance: float | None
    format: str


class Recorder:
    """Writes records to `predictions/<date>/<instance>-<n>.jsonl`; thread-safe. One a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._instance = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[Record] = []
        self._oldest = monotonic()
        self._written = 0
        self.dropped = 0
        atexit.register(self.flush)

    def add(self, answer: contract.Prediction | Rejected) -> None:
        """Take one answer; never waits for the store, never raises for it."""
        record = _record(answer, datetime.now(UTC))
        with self._lock:
            if not self._waiting:
                self._oldest = monotonic()
            self._waiting.append(record)
            excess = len(self._waiting) - _MOST_WAITING
            if excess > 0:
                del self._waiting[:excess]
                self.dropped += excess
            due = len(self._waiting) % _BATCH == 0 or monotonic() - self._oldest >= _LONGEST_WAIT_S
        if due and not self._writing.locked():
            threading.Thread(target=self.flush, name="records", daemon=True).start()

    def flush(self) -> None:
        """Write what waits. Where the store does not answer it goes on waiting, and is tried again with the next batch."""
        with self._writing:
            with self._lock:
                batch, self._waiting = self._waiting, []
                self._oldest = monotonic()
            for day in sorted({record.hour[:10] for record in batch}):
                lines = b"".join(msgspec.json.encode(record) + b"\n" for record in batch if record.hour.startswith(day))
                try:
                    self._store.put(f"{PREFIX}{day}/{self._instance}-{self._written:06}.jsonl", lines)
                except errors.StoreUnavailable as error:
                    LOGGER.warning("cannot record predictions", extra={"fields": {"code": error.code, "detail": str(error)}})
                    with self._lock:
                        self._waiting[:0] = [record for record in batch if record.hour[:10] >= day]
                    return
                self._written += 1


def days(store: Store) -> list[str]:
    """Return the days of which there are records, in order.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    return store.children(PREFIX)


def read(store: Store, day: str) -> Iterator[Record | None]:
    """Yield the records of a day; None for a line that is none.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    for key in sorted(store.keys(f"{PREFIX}{day}/")):
        for line in (store.get(key) or b"").splitlines():
            try:
                yield msgspec.json.decode(line, type=Record)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield None


def _record(answer: contract.Prediction | Rejected, at: datetime) -> Record:
    prediction = answer if isinstance(answer, contract.Prediction) else None
    return Record(
        hour=at.strftime(_HOUR),
        model=answer.model.name,
        version=answer.model.version,
        probability=prediction.pneumonia.probability if prediction else None,
        decision=prediction.pneumonia.decision if prediction else "rejected",
        operating_point=prediction.pneumonia.operating_point.name if prediction else None,
        most_probable=prediction.most_probable.label if prediction and prediction.most_probable else None,
        guard=answer.guard.verdict,
        guard_distance=answer.guard.distance,
        format=answer.image.format,
    )
