"""Which model is active: put-if-absent of the next number in the store; the highest one counts, and a rollback is one more entry."""

import time
from typing import Final

import msgspec

from core.store import Store

_ROOT: Final = "promotions/"


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: the version with the digest of its manifest, who asked for it and why, at seconds since 1970."""

    version: str
    sha256: str
    source: str
    reason: str
    at: float
    number: int


def append(store: Store, version: str, sha256: str, source: str, reason: str = "") -> int:
    """Make a version the active one; return the number of the entry.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    while True:
        last = latest(store)
        number = last.number + 1 if last else 1
        entry = Promotion(version=version, sha256=sha256, source=source, reason=reason, at=time.time(), number=number)
        if store.create(f"{_ROOT}{number:08d}.json", msgspec.json.encode(entry)):
            return number


def latest(store: Store) -> Promotion | None:
    """Return the entry that counts, None where nothing was ever promoted.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    names = store.children(_ROOT)
    data = store.get(_ROOT + names[-1]) if names else None
    return None if data is None else msgspec.json.decode(data, type=Promotion)


def history(store: Store, most: int) -> list[Promotion]:
    """Return the last promotions, newest first.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    found = (store.get(_ROOT + name) for name in reversed(store.children(_ROOT)[-most:]))
    return [msgspec.json.decode(data, type=Promotion) for data in found if data is not None]
