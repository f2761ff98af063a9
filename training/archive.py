"""Unpacks an archive that came from outside: nothing is written beside the folder, nothing is overwritten, nothing but files comes out."""

import gzip
import hashlib
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, NamedTuple

from tqdm import tqdm

from training import disk, errors

_CHUNK_BYTES: Final = 1 << 20
_FOREIGN: Final = re.compile(r"^[A-Za-z]:|[\\\0]")  # a drive, or separators that another system would see
_DAMAGED: Final = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


class Member(NamedTuple):
    """A file within an archive."""

    name: str
    size_bytes: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, progress: bool = True) -> dict[str, int]:
    """Unpack a zip or tar archive (gzip, bzip2, xz) into a folder. What is there already with the same content is left, so a run can go on.

    Returns:
        The files, with their sizes in bytes. Hidden files and `__MACOSX` are left out.

    Raises:
        errors.ArchiveUnreadable: it is none, or damaged, or encrypted.
        errors.ArchiveUnsafe: a member is a link or a device, or would land outside of the folder.
        errors.FileExists: another file of that name is there.
        errors.DiskFull, errors.CannotWrite: nothing more can be written.
    """
    try:
        with _members(archive) as members:
            placed = [(member, _place(folder, member.name)) for member in members]  # all of them: one that leads outside spoils the rest
            wanted = [(member, place) for member, place in placed if not _is_litter(member.name)]
            disk.need(folder, sum(member.size_bytes for member, place in wanted if not place.exists()))
            for member, place in tqdm(wanted, "unpacking", unit="file", disable=not progress):
                _write(member, place)
    except _DAMAGED as error:
        raise errors.ArchiveUnreadable(f"Expected a whole zip or tar archive. Received: {archive.name} ({error}).") from error
    except OSError as error:
        raise disk.explain(error, folder) from error
    return {place.relative_to(folder).as_posix(): member.size_bytes for member, place in wanted}


@contextmanager
def _members(archive: Path) -> Iterator[list[Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield [_zip_member(packed, info) for info in packed.infolist() if not info.is_dir()]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed_tar:
            yield [_tar_member(packed_tar, info) for info in packed_tar.getmembers() if not info.isdir()]
    else:
        raise errors.ArchiveUnreadable(f"Expected a zip or tar archive. Received: {archive.name}, which is neither.")


def _zip_member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    sort = stat.S_IFMT(info.external_attr >> 16)
    if sort not in (0, stat.S_IFREG):
        raise errors.ArchiveUnsafe(f"Expected files and folders in the archive. Received: {info.filename!r}, which is a link or a device.")
    return Member(info.orig_filename, info.file_size, lambda: packed.open(info))


def _tar_member(packed: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if not info.isfile():
        raise errors.ArchiveUnsafe(f"Expected files and folders in the archive. Received: {info.name!r}, which is a link or a device.")

    def open_member() -> IO[bytes]:
        stream = packed.extractfile(info)
        if stream is None:
            raise tarfile.ReadError(f"{info.name!r} has no content")
        return stream

    return Member(info.name, info.size, open_member)


def _is_litter(name: str) -> bool:
    """Whether a member is what macOS and other systems add; ".." is no hidden file but a way out."""
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in PurePosixPath(name).parts)


def _place(folder: Path, name: str) -> Path:
    """Return where a member goes: within the folder, and not through a link that lies there."""
    path = PurePosixPath(name)
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts or _FOREIGN.search(name)
    place = folder.joinpath(*path.parts)
    if unsafe or folder.resolve() not in place.resolve().parents:
        raise errors.ArchiveUnsafe(f"Expected names within the folder. Received: {name!r}.")
    return place


def _write(member: Member, place: Path) -> None:
    """Write one file whole or not at all."""
    if place.exists():
        if place.is_file() and place.stat().st_size == member.size_bytes and _digest(member.open()) == _digest(place.open("rb")):
            return
        raise errors.FileExists(f"Expected {place} to be free. Received: another file of that name. Move it away, or unpack elsewhere.")
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.part")
    try:
        with member.open() as stream, partial.open("wb") as file:
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
        partial.rename(place)
    finally:
        partial.unlink(missing_ok=True)


def _digest(stream: IO[bytes]) -> bytes:
    with stream:
        return hashlib.file_digest(stream, "sha256").digest()  # type: ignore[arg-type]
