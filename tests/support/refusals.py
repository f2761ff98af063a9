"""A store that cannot be used."""

from collections.abc import Callable

import pytest

from core import errors
from core.store import Store


def refuses(store: Store) -> str:
    """Hold every use against the promise: refused with a sentence, which is given back."""
    uses: tuple[Callable[[], object], ...] = (
        lambda: store.get("a/b"),
        lambda: store.put("a/b", b"x"),
        lambda: store.create("a/b", b"x"),
        lambda: list(store.keys("a/")),
        lambda: store.children("a/"),
    )
    for use in uses:
        with pytest.raises(errors.StoreUnavailable, match=r"^Expected the store to answer\. Received: [^\n]+\.$") as caught:
            use()
    return str(caught.value)
