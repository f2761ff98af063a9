"""What outlives an instance: objects under keys, in a local folder, Azure Blob, Google Cloud Storage or S3, by one URL.

Everything is built on three promises that all of them keep: an object is there whole or not at all, `create` succeeds for one caller only,
and what was acknowledged is durable. Compare-and-swap is not among them: local files have none.
"""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from core import errors
from core.folder import write

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# A store without this bucket or container has no object either; yet "none" would be the wrong answer of a store that is not there.
_NO_BUCKET: Final = ("ContainerNotFound", "NoSuchBucket", "bucket does not exist")
# No `#`: obstore keeps names that end in `#1` for what is being written. No `..`: a key stays below its store.
_KEY: Final = re.compile(r"(?!.*(^|/)\.{1,2}(/|$))[^/#\x00-\x1f\x7f]+(/[^/#\x00-\x1f\x7f]+)*")


class Patience(NamedTuple):
    """How long a store may take, in seconds. A request ends within `request_s` and one more try: a store that hangs hangs nobody."""

    connect_s: float = 5.0
    request_s: float = 30.0
    """One request of HTTP; 32 MiB at 10 Mbit/s take 27 s."""
    retry_s: float = 20.0
    """After this many no further try is begun: less than `request_s`, so that a store which hangs is waited for once."""
    retries: int = 4
    """With pauses of 0.1 s, doubled: connections refused and answers 5xx are over within about 3 s."""


class Store:
    """Objects under keys like `uploads/normal/5e….jpeg`; thread-safe. Nothing is opened before it is first used.

    A key is names with slashes between them: no empty one, `.` or `..`, no `#`, no control characters; any other raises ValueError.
    """

    def __init__(self, backend: "ObjectStore | Callable[[], ObjectStore]", folder: Path | None = None) -> None:
        """Wrap an obstore backend, or what opens one; `folder` is where a local one keeps its files."""
        self._given: Any = backend
        self._opened: Any = None
        self._lock = threading.Lock()
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """Return an object, None where there is none.

        Raises:
            errors.StoreUnavailable: the store does not answer, or refuses.
        """
        import obstore

        _check(key)
        try:
            return bytes(obstore.get(self._backend, key).bytes())
        except FileNotFoundError as error:
            if any(sign in str(error) for sign in _NO_BUCKET):
                raise _unavailable(error) from error
            return None
        except Exception as error:
            raise _unavailable(error) from error

    def put(self, key: str, data: bytes) -> None:
        """Write an object, over one that is there. Durable when this returns.

        Raises:
            errors.StoreUnavailable: see `get`.
        """
        self._put(key, data, over=True)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object if there is none under this key. Durable when this returns, whoever wrote it.

        Returns:
            Whether this call wrote it: of several at once one is told True. A store whose answer got lost may tell False to the one that
            wrote it, since the second try finds the first.

        Raises:
            errors.StoreUnavailable: see `get`. The object may have been written all the same.
        """
        return self._put(key, data, over=False)

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

    @property
    def _backend(self) -> "ObjectStore":
        with self._lock:
            if self._opened is None:
                self._opened = self._given() if callable(self._given) else self._given
            opened: ObjectStore = self._opened
            return opened

    def _put(self, key: str, data: bytes, *, over: bool) -> bool:
        """Write, and say whether this call did. Local files are written by `core.folder`: obstore leaves their durability to the system."""
        _check(key)
        try:
            backend = self._backend
            if self._folder is not None:
                return write(self._folder, key, data, over=over)
            return _send(backend, key, data, "overwrite" if over else "create")
        except Exception as error:
            raise _unavailable(error) from error


def open_store(url: str, patience: Patience | None = None) -> Store:
    """Return the store of a URL: `file:///…`, `az://container/prefix`, `gs://bucket/prefix`, `s3://bucket/prefix`.

    Credentials are those of the platform: managed or workload identity, or the environment (docs/store.md). What is wrong with the URL,
    the folder or the bucket shows as `StoreUnavailable` when the store is first used.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        place = Path(unquote(parts.path))
        return Store(lambda: _open_folder(parts.netloc, place), place)
    return Store(lambda: _open_remote(url, patience or Patience()))


def _open_folder(host: str, place: Path) -> "ObjectStore":
    from obstore.store import LocalStore

    if host not in ("", "localhost"):
        raise ValueError(f"file://{host[:32]}…, where a folder of this machine is file:/// with three slashes")
    place.mkdir(parents=True, exist_ok=True)
    return LocalStore(place)


def _open_remote(url: str, patience: Patience) -> "ObjectStore":
    from obstore.store import from_url

    return from_url(
        url,
        client_options={
            "allow_http": True,  # only an endpoint that the environment names is http: an emulator, or MinIO within a cluster
            "connect_timeout": timedelta(seconds=patience.connect_s),
            "timeout": timedelta(seconds=patience.request_s),
        },
        retry_config={"max_retries": patience.retries, "retry_timeout": timedelta(seconds=patience.retry_s)},
    )


def _send(backend: "ObjectStore", key: str, data: bytes, mode: Literal["create", "overwrite"]) -> bool:
    import obstore
    from obstore.exceptions import AlreadyExistsError

    try:
        # One request: an object appears when its last byte has come. In parts, a put-if-absent would not be one.
        obstore.put(backend, key, data, mode=mode, use_multipart=False)
    except AlreadyExistsError:
        return False
    return True


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"Expected a key: names with slashes between them, without `#`, `.` and `..`. Received: {key[:64]!r}")


def _unavailable(error: Exception) -> errors.StoreUnavailable:
    """Make one sentence of what the store said, without the signature that a URL may carry."""
    said = str(error)
    code = re.search(r"<Code>(\w+)</Code>", said)
    reason = re.sub(r"\?[^\s)]*", "", said.partition("\n")[0].partition(": <")[0]).rstrip(". ") or type(error).__name__
    return errors.StoreUnavailable(f"Expected the store to answer. Received: {reason}{f' ({code.group(1)})' if code else ''}.")
