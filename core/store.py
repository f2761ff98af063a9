"""What outlives an instance: objects under keys, in a local folder, Azure Blob, Google Cloud Storage or S3, by one URL.

Everything is built on three promises that all of them keep: an object is there whole or not at all, `create` succeeds for one caller only,
and what was acknowledged is durable. Compare-and-swap is not among them: local files have none.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from core import errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Store:
    """Objects under keys like `uploads/normal/5e….jpeg`; thread-safe. Nothing is opened before it is first used."""

    def __init__(self, backend: "ObjectStore", folder: Path | None = None) -> None:
        """Wrap an obstore backend; `folder` is where a local one keeps its files."""
        self._backend: Any = backend
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """Return an object, None where there is none.

        Raises:
            errors.StoreUnavailable: the store does not answer, or refuses.
        """
        import obstore

        try:
            return bytes(obstore.get(self._backend, key).bytes())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise _unavailable(error) from error

    def put(self, key: str, data: bytes) -> None:
        """Write an object, over one that is there. Durable when this returns.

        Raises:
            errors.StoreUnavailable: see `get`.
        """
        self._put(key, data, "overwrite")

    def create(self, key: str, data: bytes) -> bool:
        """Write an object if there is none under this key. Durable when this returns.

        Returns:
            Whether this call wrote it: of several at once one is told True.

        Raises:
            errors.StoreUnavailable: see `get`. The object may have been written all the same.
        """
        from obstore.exceptions import AlreadyExistsError

        try:
            self._put(key, data, "create")
        except AlreadyExistsError:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix that ends at a slash, in no order.

        Raises:
            errors.StoreUnavailable: see `get`.
        """
        import obstore

        try:
            for page in obstore.list(self._backend, prefix):
                yield from (str(found["path"]) for found in page)
        except Exception as error:
            raise _unavailable(error) from error

    def children(self, prefix: str) -> list[str]:
        """Return the names right below a prefix, folders and objects alike, in order.

        Raises:
            errors.StoreUnavailable: see `get`.
        """
        import obstore

        try:
            found = obstore.list_with_delimiter(self._backend, prefix)
        except Exception as error:
            raise _unavailable(error) from error
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in paths)

    def _put(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> None:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(self._backend, key, data, mode=mode)
            if self._folder is not None:
                _make_durable(self._folder / key)
        except AlreadyExistsError:
            raise
        except Exception as error:
            raise _unavailable(error) from error


def open_store(url: str) -> Store:
    """Return the store of a URL: `file:///…`, `az://container/prefix`, `gs://bucket/prefix`, `s3://bucket/prefix`.

    Credentials are those of the platform: managed or workload identity, or the environment.

    Raises:
        errors.StoreUnavailable: the URL names no store.
    """
    from obstore.store import LocalStore, from_url

    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            folder = Path(unquote(parts.path))
            folder.mkdir(parents=True, exist_ok=True)
            return Store(LocalStore(folder), folder)
        return Store(from_url(url))
    except Exception as error:
        raise _unavailable(error) from error


def _make_durable(path: Path) -> None:
    """Flush a file and the folders that lead to it to the disk; obstore leaves that to the system."""
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unavailable(error: Exception) -> errors.StoreUnavailable:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return errors.StoreUnavailable(f"Expected the store to answer. Received: {reason}.")
