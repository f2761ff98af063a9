"""Model packages in the store: `models/<version>/…`, its manifest written last, so that a version is there whole or not at all."""

from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from core import errors
from core.manifest import MANIFEST_FILE, Manifest, read
from core.store import Store

_ROOT: Final = "models/"


def push(store: Store, folder: Path) -> str:
    """Bring a package into the store under its version; return the digest of its manifest.

    Raises:
        errors.ModelUnavailable: the store has another package under this version.
        errors.StoreUnavailable: the store does not answer.
    """
    manifest, data = read(folder)
    place = f"{_ROOT}{manifest.version}/"
    for name in manifest.files:
        store.put(place + name, (folder / name).read_bytes())
    if not store.create(place + MANIFEST_FILE, data) and store.get(place + MANIFEST_FILE) != data:
        raise errors.ModelUnavailable(f"Expected a version that the store does not have. Received: {manifest.version}, with other content.")
    return sha256(data).hexdigest()


def versions(store: Store) -> list[str]:
    """Return the versions that are whole in the store."""
    return [name for name in store.children(_ROOT) if store.get(f"{_ROOT}{name}/{MANIFEST_FILE}") is not None]


def manifest(store: Store, version: str) -> tuple[Manifest, str]:
    """Return the manifest of a version with its digest.

    Raises:
        errors.ModelUnavailable: the store has no such version, or no manifest in it.
        errors.StoreUnavailable: the store does not answer.
    """
    data = store.get(f"{_ROOT}{version}/{MANIFEST_FILE}")
    if data is None:
        raise errors.ModelUnavailable(f"Expected version {version} in the store. Received: no such version.")
    try:
        return msgspec.json.decode(data, type=Manifest), sha256(data).hexdigest()
    except ValueError as error:
        raise errors.ModelUnavailable(f"Expected a valid {MANIFEST_FILE} of {version}. Received: {error}.") from error


def fetch(store: Store, version: str, folder: Path) -> None:
    """Write a version's files into a folder.

    Raises:
        errors.ModelUnavailable: the store has no such version, or a file of it is missing.
        errors.StoreUnavailable: the store does not answer.
    """
    files = manifest(store, version)[0].files
    for name in (*files, MANIFEST_FILE):
        data, path = store.get(f"{_ROOT}{version}/{name}"), (folder / name).resolve()
        if data is None or not path.is_relative_to(folder.resolve()):
            raise errors.ModelUnavailable(f"Expected {name} in version {version} of the store. Received: no such object.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
