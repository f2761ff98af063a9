"""Labelled pictures in the store: `uploads/<label>/<sha256>.<ext>`, and beside each a record, written last: then the picture counts."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from core.store import Store

PREFIX: Final = "uploads/"
_RECORD: Final = re.compile(rf"{PREFIX}([^/]+)/([0-9a-f]{{64}})\.json")


class Counted(NamedTuple):
    """An uploaded picture that counts: its folder's name, its digest and where its bytes are."""

    slug: str
    sha256: str
    key: str


def slug(label: str) -> str:
    """Return a label as the name of a folder: small letters, digits and hyphens."""
    words = "-".join(re.findall(r"[a-z0-9]+", label.lower()))
    return words if label.isascii() and words else f"{words}-{hashlib.sha256(label.encode()).hexdigest()[:12]}".lstrip("-")


def counted(store: Store) -> Iterator[Counted]:
    """Yield the pictures that count, in order. Bytes under several labels are left out: which label is right cannot be told.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    keys = sorted(store.keys(PREFIX))
    records = {match.groups() for match in map(_RECORD.fullmatch, keys) if match}
    labels = Counter(sha256 for _, sha256 in records)
    for key in keys:
        folder, name = key.removeprefix(PREFIX).split("/", 1) if key.count("/") == 2 else ("", "")
        sha256, _, extension = name.partition(".")
        if extension != "json" and (folder, sha256) in records and labels[sha256] == 1:
            yield Counted(folder, sha256, key)
