"""Downloads one large file so that an interruption costs nothing: HTTP Range behind pooch, which checks the digest and puts it in place.

pooch alone begins anew each time, and the public data set is 1.2 GB. Bytes wait in NAME.part, with the server's ETag in NAME.part.json: if
the file has changed since, or the server does not resume, the download starts over instead of mixing two files.
"""

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pooch
import requests
from tqdm import tqdm

from training import disk, errors

CHUNK_BYTES: Final = 1 << 16  # what came of a chunk before the connection broke is lost
MOST_FAILURES: Final = 4  # in a row, without a byte between them
TIMEOUT_S: Final = (10.0, 60.0)  # to connect, and between two bytes
_SERVER_FAILS: Final = 500
_RESUMED: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_log = logging.getLogger(__name__)

Pause = Callable[[float], None]


class Waiting(msgspec.Struct, frozen=True):
    """What is known of a partial file: where it came from, and the server's mark of its content."""

    url: str
    validator: str
    total: int | None


def download(url: str, sha256: str, target: Path, progress: bool = True, pause: Pause = time.sleep) -> None:
    """Bring a file to `target`, resuming what is there of it; a target with the right digest is left as it is.

    Args:
        url: http or https.
        sha256: of the whole file, 64 hexadecimal digits.
        target: the file; its folder exists.
        progress: show a progress bar.
        pause: waits that many seconds between two attempts.

    Raises:
        errors.NoNetwork, errors.DownloadRefused, errors.DownloadInterrupted, errors.DiskFull, errors.WrongDigest: with what to do.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    fetcher = Fetcher(target, progress, pause)
    try:
        pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, downloader=fetcher)
    except ValueError as error:  # pooch's word for a digest that does not match; it has removed the file
        raise errors.WrongDigest(
            f"Expected a file with sha256 {sha256} at {url}. Received another: damaged on the way, or replaced by its publisher. "
            "It was deleted; the next run begins anew."
        ) from error


class Fetcher:
    """What pooch calls to fetch a file. Keeps the bytes beside the target between attempts and between runs."""

    def __init__(self, target: Path, progress: bool, pause: Pause) -> None:
        self._part = target.with_name(target.name + ".part")
        self._record = target.with_name(target.name + ".part.json")
        self._progress = progress
        self._pause = pause

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Fetch `url` and move it to `output_file`, however many attempts that takes."""
        failures = 0
        while True:
            before = self._size()
            try:
                self._attempt(url)
                break
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
                failure: errors.TrainingError = errors.NoNetwork(f"Expected an answer from {url}. Received none: {_reason(error)}.")
            except _TryAgain as error:
                failure = errors.DownloadInterrupted(
                    f"Expected the whole file. Received: {self._size():,} bytes of it ({error}). The same command goes on from there."
                )
            except requests.exceptions.RequestException as error:
                raise errors.DownloadRefused(f"Expected an address that can be downloaded. Received: {url} ({error}).") from error
            except OSError as error:
                raise disk.explain(error, self._part) from error
            failures = 0 if self._size() > before else failures + 1
            if failures >= MOST_FAILURES:
                raise failure
            _log.warning("%s: %s Trying again.", failure.code, failure)
            self._pause(0.5 * 2**failures)
        self._record.unlink(missing_ok=True)
        self._part.replace(output_file)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _attempt(self, url: str) -> None:
        """Ask for what is missing, and append it."""
        waiting, offset = self._waiting(url), self._size()
        headers = {"Accept-Encoding": "identity"}  # a compressed transfer has other offsets
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if waiting.validator:
                headers["If-Range"] = waiting.validator
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            total = self._check(response, url, offset, waiting)
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # all of it is here
            if response.status_code == requests.codes.ok:
                offset = 0
            if total is not None:
                disk.need(self._part.parent, total - offset)
            self._record.write_bytes(msgspec.json.encode(Waiting(url, _validator(response), total)))
            self._append(response, offset, total)
        if total is not None and self._size() != total:
            raise _TryAgain(f"{self._size():,} of {total:,} bytes")

    def _append(self, response: requests.Response, offset: int, total: int | None) -> None:
        """Write the body behind the first `offset` bytes; what came before it breaks off stays."""
        bar = tqdm(total=total, initial=offset, desc="downloading", unit="B", unit_scale=True, disable=not self._progress)
        with bar, self._part.open("ab" if offset else "wb") as file:
            try:
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    bar.update(len(chunk))
            except requests.exceptions.RequestException as error:
                raise _TryAgain(_reason(error)) from error

    def _check(self, response: requests.Response, url: str, offset: int, waiting: Waiting) -> int | None:
        """Return the size of the whole file, where the server tells it, or say why these bytes cannot be used."""
        status, length = response.status_code, response.headers.get("Content-Length", "")
        if status == requests.codes.partial_content:
            resumed = _RESUMED.fullmatch(response.headers.get("Content-Range", ""))
            if resumed is None or int(resumed.group(1)) != offset or _changed(response, waiting):
                self._start_over("file_changed", "The server answers with another part or another file than was asked for.")
            return None if resumed is None or resumed.group(2) == "*" else int(resumed.group(2))
        if status == requests.codes.ok:
            if offset:
                changed = _changed(response, waiting)
                code = "file_changed" if changed else "range_not_supported"
                why = "The file has changed on the server" if changed else "The server does not resume downloads"
                _log.warning("%s: %s: starting over, %s bytes are lost.", code, why, f"{offset:,}")
            return int(length) if length.isdigit() else None
        if status == requests.codes.requested_range_not_satisfiable and offset:
            if offset != waiting.total:
                self._start_over("file_changed", f"The server has fewer than the {offset:,} bytes that are here.")
            return offset
        if status >= _SERVER_FAILS or status == requests.codes.too_many_requests:
            raise _TryAgain(f"status {status}")
        raise errors.DownloadRefused(f"Expected status 200 or 206 from {url}. Received: {status} {response.reason}.")

    def _start_over(self, code: str, why: str) -> None:
        self._part.unlink(missing_ok=True)
        _log.warning("%s: %s Starting over.", code, why)
        raise _TryAgain(why)

    def _waiting(self, url: str) -> Waiting:
        """Return what is known of the partial file; one of another address, or of none that is known, is not gone on with."""
        try:
            waiting = msgspec.json.decode(self._record.read_bytes(), type=Waiting)
        except (OSError, msgspec.DecodeError):
            waiting = Waiting("", "", None)
        if waiting.url != url:
            self._part.unlink(missing_ok=True)
        return waiting


class _TryAgain(Exception):
    """The attempt gave nothing to go on with; the next may."""


def _validator(response: requests.Response) -> str:
    """Return what If-Range takes: a strong ETag, else the date of the last change (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _changed(response: requests.Response, waiting: Waiting) -> bool:
    now = _validator(response)
    return bool(now and waiting.validator and now != waiting.validator)


def _reason(error: BaseException) -> str:
    """Return the innermost reason: that says what happened, the layers above it where in requests."""
    for below in (getattr(error, "reason", None), error.__cause__, *error.args):
        if isinstance(below, BaseException) and below is not error:
            return _reason(below)
    return str(error) or type(error).__name__
