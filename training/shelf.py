"""Where packages are put: refuse a target that holds something else, write beside it, sign every file, then take its place.

Called by `training.export`, `training.recalibrated` and `training.guarding`. A target holds a whole package or what it held before,
wherever a run is killed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from core.manifest import MANIFEST_FILE, NETWORK_FILE, Manifest, is_package
from training import disk, errors, receptive

CARD_FILE: Final = "CARD.md"
KERAS_FILE: Final = "network.keras"
REPORT_FOLDER: Final = "report"


def check_target(folder: Path, replace: bool) -> None:
    """Refuse a target that holds something, before hours of work; a package may be replaced where that is asked for.

    Raises:
        errors.PackageExists: the folder holds a package and `replace` is not set, or holds something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_package(folder):
        raise errors.PackageExists(f"Expected a new or empty folder for the package. Received: {folder}, which holds something else.")
    if not replace:
        raise errors.PackageExists(f"Expected a new or empty folder; give --replace to replace the package in it. Received: {folder}.")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give a new folder that takes the place of `folder` when all went well, and is gone when not.

    Raises:
        errors.DiskFull, errors.CannotWrite: there is no room, or the folder cannot be made.
    """
    folder = folder.absolute()
    new, old = folder.with_name(f".new-{folder.name}"), folder.with_name(f".old-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir(parents=True)
        yield new
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except OSError as error:
        raise disk.explain(error, folder) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def sign(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest, last, with the digest of every other file and where its network's maps look; return it as written."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    offset = receptive.map_offset((folder / NETWORK_FILE).read_bytes())
    signed = msgspec.structs.replace(manifest, files=digests, map_offset=offset)
    (folder / MANIFEST_FILE).write_bytes(readable(signed))
    return signed


def readable(value: msgspec.Struct) -> bytes:
    """Return a value as JSON that people can read and compare line by line."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
