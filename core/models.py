"""Model packages in the store: `models/<version>/…`, the manifest written last, so that a version is there whole or not at all.

Called by `core.active`, which serves them, and by whoever makes them: `pneumonia models push` and retraining.
"""

from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from core import errors, package
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.manifest import MANIFEST_FILE, Manifest, read
from core.store import Store

PREFIX: Final = "models/"


class VersionExists(errors.PneumoniaError):
    """The store has this version with another content: what was served under a name must stay what it was."""

    code = "version_exists"


def push(store: Store, folder: Path) -> ModelIdentity:
    """Bring a package into the store, unless it is there; one that is there is made whole where a file is missing or damaged.

    Two that push different packages under one version at once may leave a version that no instance loads, since its digests do not fit.

    Args:
        store: where to.
        folder: of a package, or with exactly one package. It must load and pass its self-test here first.

    Raises:
        VersionExists: the store has this version with another manifest.
        errors.ModelUnavailable: the package is not sound.
        errors.StoreUnavailable: the store does not answer.
    """
    folder = package.locate(folder)
    classifier = package.load(folder)
    read_file, place = package.reader(folder), f"{PREFIX}{classifier.identity.version}/"
    manifest_bytes = package.checked(read_file, MANIFEST_FILE, classifier.identity.sha256)
    _refuse_other(store.get(place + MANIFEST_FILE), manifest_bytes, classifier.identity)
    for name, digest in classifier.manifest.files.items():
        there = store.get(place + name)
        if there is None or sha256(there).hexdigest() != digest:
            store.put(place + name, package.checked(read_file, name, digest))
    if not store.create(place + MANIFEST_FILE, manifest_bytes):
        _refuse_other(store.get(place + MANIFEST_FILE), manifest_bytes, classifier.identity)
    return classifier.identity


def versions(store: Store) -> list[str]:
    """Return the versions that are whole in the store, in order.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    parts = (PurePosixPath(key).parts for key in store.keys(PREFIX))
    return sorted(found[1] for found in parts if len(found) == 3 and found[2] == MANIFEST_FILE)


def manifest(store: Store, version: str) -> tuple[Manifest, ModelIdentity]:
    """Return the manifest of a version and the identity that it gives.

    Raises:
        errors.UnknownVersion: the store does not have it; the sentence names those that it has.
        errors.ModelUnavailable: it is not a manifest.
        errors.StoreUnavailable: the store does not answer.
    """
    there = versions(store)
    data = store.get(f"{PREFIX}{version}/{MANIFEST_FILE}") if version in there else None
    if data is None:
        raise errors.UnknownVersion(f"Expected one of the versions {', '.join(there) or '(none yet)'}. Received: {version[:100]!r}.")
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ModelUnavailable(f"Expected a valid {MANIFEST_FILE} of {version}. Received: {error}.") from error
    return found, ModelIdentity(name=found.name, version=found.version, sha256=sha256(data).hexdigest())


def find(store: Store, version: str, installed: Path) -> ModelIdentity:
    """Return the identity of a version of the store, which gets the package that the service was started with where that is meant.

    Raises:
        errors.UnknownVersion, errors.ModelUnavailable, errors.StoreUnavailable: see `manifest`.
    """
    try:
        return manifest(store, version)[1]
    except errors.UnknownVersion:
        if version != installed_version(installed):
            raise
        return push(store, installed)


def installed_version(folder: Path) -> str | None:
    """Return the version of the package that the service was started with, None where it has none that can be read."""
    try:
        return read(package.locate(folder))[0].version
    except (errors.ModelUnavailable, OSError, ValueError):
        return None


def load(store: Store, version: str, interpreters: int = 1, manifest_sha256: str | None = None) -> Classifier:
    """Load a version from the store, as `core.package.load` does from a folder.

    Args:
        store: where it is.
        version: which.
        interpreters: how many pictures may go through the network at once.
        manifest_sha256: what was promoted, where that is known: another manifest under the same version is refused.

    Raises:
        errors.ModelUnavailable: the package is missing, altered, inconsistent, or does not answer its self-test.
        errors.StoreUnavailable: the store does not answer.
    """
    classifier = package.read_from(lambda: reader(store, version), interpreters)
    if classifier.identity.version != version:
        raise errors.ModelUnavailable(f"Expected the package of version {version}. Received: that of {classifier.identity.version}.")
    if manifest_sha256 not in (None, classifier.identity.sha256):
        raise errors.ModelUnavailable(
            f"Expected version {version} with the manifest that was promoted, {str(manifest_sha256)[:12]}…. "
            f"Received: {classifier.identity.sha256[:12]}…."
        )
    return classifier


def fetch(store: Store, version: str, folder: Path) -> None:
    """Write a version's files into a folder, the manifest last. Nothing is checked: `core.package.load` does that.

    Raises:
        errors.UnknownVersion, errors.ModelUnavailable, errors.StoreUnavailable: see `manifest`; a file of it is missing.
    """
    read_file = reader(store, version)
    for name in (*manifest(store, version)[0].files, MANIFEST_FILE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(read_file(name))


def reader(store: Store, version: str) -> package.Reader:
    """Return what reads the files of a version, and none outside it."""

    def read(name: str) -> bytes:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise errors.ModelUnavailable(f"Expected files within the package. Received: {name!r}.")
        data = store.get(f"{PREFIX}{version}/{name}")
        if data is None:
            raise errors.ModelUnavailable(f"Expected {name} in {PREFIX}{version}/ of the store. Received: no such object.")
        return data

    return read


def _refuse_other(there: bytes | None, ours: bytes, identity: ModelIdentity) -> None:
    if there not in (None, ours):
        raise VersionExists(f"Expected a version that the store does not have with another content. Received: {identity.version}.")
