"""The public data set from its publisher: downloaded once, checked, unpacked, and cited.

The digest of the archive is the one that four public projects give independently of each other; two of them fetch it from this address, one
says that it compared with the publisher's record (looked up in November 2026, without a network to ask the publisher again).
"""

import re
from pathlib import Path
from typing import Final

import msgspec

from training import archive, disk, download, errors

RECEIPT: Final = "fetched.json"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An archive and how to speak of it; `file` is what it is called while it is here."""

    url: str
    sha256: str
    file: str
    licence: str = ""
    citation: tuple[str, ...] = ()


PAGE: Final = "https://data.mendeley.com/datasets/rscbjbr9sj/2"
PUBLISHED: Final = Source(
    url="https://data.mendeley.com/public-files/datasets/rscbjbr9sj/files/f12eaf6d-6023-432f-acc9-80c9d7393433/file_downloaded",
    sha256="13efc055629733dbab07877f8b3c9f81097840dbcdaa326a8542322c2281ce36",
    file="ChestXRay2017.zip",
    licence="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
    citation=(
        "Kermany, Daniel; Zhang, Kang; Goldbaum, Michael (2018), “Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images for "
        "Classification”, Mendeley Data, V2, doi: 10.17632/rscbjbr9sj.2",
        "Kermany et al., “Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning”, Cell 172 (2018), 1122–1131",
    ),
)
PUBLISHED_BYTES: Final = 1_235_512_464


class Receipt(msgspec.Struct, frozen=True):
    """What was unpacked, written when all of it was: a rerun has nothing to do while it is all there."""

    url: str
    sha256: str
    files: dict[str, int]


def fetch(source: Source, target: Path, keep_archive: bool = False, progress: bool = True, pause: download.Pause | None = None) -> bool:
    """Bring a data set into a folder.

    Args:
        source: where it is and what it must be.
        target: the folder; made where it is missing.
        keep_archive: leave the archive in the folder as well.
        progress: show progress bars.
        pause: as in `download.download`.

    Returns:
        Whether anything had to be done.

    Raises:
        errors.InvalidOption: the digest is none.
        Others of `download.download` and `archive.unpack`.
    """
    if not _SHA256.fullmatch(source.sha256):
        raise errors.InvalidOption(f"Expected a sha256 of 64 digits 0-9a-f. Received: {source.sha256!r}.")
    if complete(source, target):
        return False
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk.explain(error, target) from error
    packed = target / source.file
    download.download(source.url, source.sha256, packed, progress, *([pause] if pause else []))
    files = archive.unpack(packed, target, progress)
    receipt = Receipt(source.url, source.sha256, files)
    (target / RECEIPT).write_bytes(msgspec.json.encode(receipt) + b"\n")
    if not keep_archive:
        packed.unlink()
    return True


def complete(source: Source, target: Path) -> bool:
    """Whether the folder holds every file of this archive, in its size."""
    try:
        receipt = msgspec.json.decode((target / RECEIPT).read_bytes(), type=Receipt)
        return receipt.sha256 == source.sha256 and all((target / name).stat().st_size == size for name, size in receipt.files.items())
    except (OSError, msgspec.DecodeError):
        return False
