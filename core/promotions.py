"""Which model is active: an append-only list of promotions in the store, whose highest number is the one that counts.

Nothing is ever changed or removed: going back is one more entry. Two promotions at once get two numbers, since only one of them can put
the entry that comes next. Written by `core.active` and the terminal for a person, and by retraining for itself.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Final

import msgspec

from core import errors
from core.contract import ModelIdentity, Promotion
from core.store import Store

PREFIX: Final = "promotions/"
BY_HAND: Final = "by hand"
_NAME: Final = re.compile(r"([0-9]{8})\.json")
_MOST_ATTEMPTS: Final = 1000  # each lost one was won by somebody else; more than that is a store that does not keep its promises


def promote(store: Store, model: ModelIdentity, source: str, reason: str, before: str | None = None) -> Promotion:
    """Make a model of the store the active one. That it can be loaded has been seen before.

    Args:
        store: where the promotions are.
        model: version and digest of the manifest that instances must find.
        source: who promotes: `BY_HAND`, or the id of a job.
        reason: for people who read the list later.
        before: the version that serves while there is no promotion yet, to go back to.

    Returns:
        The entry as written.

    Raises:
        errors.StoreUnavailable: the store does not answer. The entry may have been written all the same.
    """
    identifier = secrets.token_hex(8)
    for _ in range(_MOST_ATTEMPTS):
        last = latest(store)
        entry = Promotion(
            number=last.number + 1 if last else 1,
            id=identifier,
            version=model.version,
            sha256=model.sha256,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            source=source,
            previous=last.version if last else before,
            reason=reason,
        )
        # A put that is told "exists" may be our own, tried again below us after its acknowledgement was lost.
        if store.create(_key(entry.number), msgspec.json.encode(entry)) or _read(store, entry.number).id == identifier:
            return entry
    raise errors.StoreUnavailable(f"Expected to write the next promotion. Received: {_MOST_ATTEMPTS} times that it exists.")


def latest(store: Store) -> Promotion | None:
    """Return the promotion that counts, None while there is none.

    Raises:
        errors.StoreUnavailable: the store does not answer.
        errors.ModelUnavailable: the entry is none.
    """
    numbers = _numbers(store)
    return _read(store, numbers[-1]) if numbers else None


def history(store: Store, most: int) -> list[Promotion]:
    """Return the last promotions, newest first.

    Raises:
        errors.StoreUnavailable, errors.ModelUnavailable: see `latest`.
    """
    return [_read(store, number) for number in reversed(_numbers(store)[-most:])]


def _numbers(store: Store) -> list[int]:
    return sorted(int(found[1]) for name in store.children(PREFIX) if (found := _NAME.fullmatch(name)))


def _key(number: int) -> str:
    return f"{PREFIX}{number:08}.json"


def _read(store: Store, number: int) -> Promotion:
    try:
        return msgspec.json.decode(store.get(_key(number)) or b"", type=Promotion)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ModelUnavailable(f"Expected a promotion in {_key(number)}. Received: {error}.") from error
