"""Answers kept until the command that asks for them has ended well: killed at any moment, the same command goes on with them.

A process appends to a file of its own and only reads those of others, so that nothing is locked and two of the same command cannot harm
each other. The name of a file stands for the question: the command, what it was asked for, the code, the libraries. In it an answer is
found by the digest of the bytes that it was worked out from, so that a changed picture is asked anew; no name of a picture is kept. One
that cannot be read is not kept: it is refused again, in no time. Called by the commands through `cli.resuming`, and by `training.runs`.
"""

import hashlib
import logging
import os
import struct
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, time
from typing import BinaryIO, Final, TypeVar

import msgspec

import core
from training import errors, libraries

Result = TypeVar("Result")
_log = logging.getLogger(__name__)

SUFFIX: Final = ".kept"
_FRAME: Final = struct.Struct(">II")  # bytes of a record, and their CRC-32
_SECONDS: Final = struct.Struct(">d")  # begins a record; then the key and the answer
_KEY_BYTES: Final = 32
_SYNC_S: Final = 1.0  # of work, lost at most where the power fails; a killed process loses what is in work and nothing else
_LIBRARIES: Final = ("ai-edge-litert", "keras", "tensorflow", "torch", "jax", "numpy", "pillow", "scikit-learn")
_DICOM: Final = ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg")
_FORGOTTEN_S: Final = 30 * 24 * 3600.0  # nobody goes on after a month, and what is kept is of patients


class Kept:
    """What was answered before, and where new answers go; thread-safe.

    Attributes:
        count: answers that were found.
        seconds: that those of them have taken which were asked for by now.
    """

    def __init__(self, folder: Path | None = None, stem: str = "") -> None:
        """Read what there is of the question that `stem` stands for; without a folder nothing is kept."""
        self._folder, self._stem = folder, stem
        self._lock = threading.Lock()
        self._started = self._synced = perf_counter()
        self._file: BinaryIO | None = None
        self._found: dict[bytes, bytes] = {}
        self.seconds = self._before = 0.0
        self._paths = sorted(folder.glob(f"{stem}-*{SUFFIX}")) if folder else []
        for path in self._paths:
            with suppress(OSError):  # of another user, or gone by now
                self._load(path.read_bytes())
        self.count = len(self._found)

    def remember(self, part: str, work: Callable[[bytes], Result], kind: type[Result]) -> Callable[[bytes], Result]:
        """Return a function that gives what `work` gives, and works only where no answer is kept.

        Args:
            part: of the command; in each the same bytes have another answer.
            work: gives the same for the same bytes, in whatever order it is asked.
            kind: of the result, something that msgspec encodes.
        """
        if self._folder is None:
            return work
        decoder = msgspec.msgpack.Decoder(kind)

        def answer(data: bytes) -> Result:
            digest = hashlib.sha256(f"{part}\0".encode())
            digest.update(data)
            before = self._found.pop(digest.digest(), None)  # whoever asked holds it now: once in memory is enough
            if before is not None:
                with self._lock:
                    self.seconds = max(self.seconds, *_SECONDS.unpack_from(before))
                return decoder.decode(before[_SECONDS.size :])
            result = work(data)
            self._add(digest.digest() + msgspec.msgpack.encode(result))
            return result

        return answer

    def close(self, ended_well: bool) -> None:
        """Let go of the file; where the command has ended well, remove it and those that were found."""
        self._folder = None
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        for path in self._paths if ended_well else ():
            with suppress(OSError):
                path.unlink()

    def _load(self, data: bytes) -> None:
        """Take the records up to the first that is not whole: whoever wrote it was killed meanwhile."""
        start = 0
        while start + _FRAME.size <= len(data):
            size, checksum = _FRAME.unpack_from(data, start)
            record = data[start + _FRAME.size : start + _FRAME.size + size]
            if size < _SECONDS.size + _KEY_BYTES or len(record) < size or zlib.crc32(record) != checksum:
                return
            seconds, keyed = record[: _SECONDS.size], record[_SECONDS.size :]
            self._before = max(self._before, *_SECONDS.unpack(seconds))
            self._found[keyed[:_KEY_BYTES]] = seconds + keyed[_KEY_BYTES:]
            start += _FRAME.size + size

    def _add(self, keyed: bytes) -> None:
        """Write a record; where that fails, say it once and keep nothing more."""
        with self._lock:
            if self._folder is None:
                return
            try:
                self._write(self._folder, _SECONDS.pack(self._before + perf_counter() - self._started) + keyed)
            except OSError as error:
                why = error.strerror or str(error)
                _log.warning("nothing is kept for an interruption: Expected to write in %s. Received: %s.", self._folder, why)
                self._folder = None

    def _write(self, folder: Path, record: bytes) -> None:
        if self._file is None:
            folder.mkdir(parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(SUFFIX, f"{self._stem}-", folder)  # for its owner's eyes alone
            self._file = os.fdopen(handle, "wb", buffering=0)
            self._paths.append(Path(path))
        framed = _FRAME.pack(len(record), zlib.crc32(record)) + record
        if self._file.write(framed) != len(framed):
            raise OSError("no room for a whole record")
        if perf_counter() - self._synced >= _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = perf_counter()


NOTHING: Final = Kept()
"""Keeps nothing."""


@contextmanager
def opened(folder: Path, command: str, asked: Mapping[str, str]) -> Iterator[Kept]:
    """Give what is kept of a question; where the block ends well that is removed, else the same question finds it.

    Args:
        folder: made when the first answer is kept.
        command: begins the name of the file.
        asked: all that an answer depends on beside the bytes, the code and the libraries.
    """
    question = repr((sorted(asked.items()), _code(), [libraries.version(name) for name in (*_LIBRARIES, *_DICOM)]))
    _forget(folder)
    kept = Kept(folder, f"{command}-{hashlib.sha256(question.encode()).hexdigest()[:16]}")
    ended_well = False
    try:
        yield kept
        ended_well = True
    except (errors.SeenInTraining, errors.RunMismatch):
        ended_well = True  # refused for good: nobody can go on
        raise
    finally:
        kept.close(ended_well)


def _forget(folder: Path) -> None:
    """Remove what nobody has gone on with."""
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):
            if time() - path.stat().st_mtime > _FORGOTTEN_S:
                path.unlink()


def _code() -> str:
    """Return the digest of the code that answers."""
    files = [file for module in (core.__file__, __file__) for file in sorted(Path(module).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
