"""What lies in the folders that `pneumonia explore` is given: parts (train, val, test), their classes, and what names tell.

`dataset` reads what a network can learn from and refuses the rest; exploring looks at any folder-per-class data set, before that is known.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from training import errors, names

_DEEPEST: Final = 2  # chest_xray/train/NORMAL: archives are unpacked into a folder of their own


class Part(NamedTuple):
    """A folder with one folder per class; `paths` are its files, sorted, relative, with forward slashes."""

    name: str
    folder: Path
    paths: tuple[str, ...]


def find(given: Sequence[Path]) -> tuple[Part, ...]:
    """Return the parts of the given data sets: each is a part itself, or holds parts.

    Raises:
        errors.DatasetMissing: a folder is not there.
        errors.NoClassFolders: a folder holds no folder per class.
        errors.NoPictures: the class folders are empty.
    """
    found: list[Path] = []
    for folder in given:
        if not folder.is_dir():
            raise errors.DatasetMissing(f"Expected a folder that holds one folder per class. Received: {folder}, which is no folder.")
        below = _parts_below(folder, _DEEPEST)
        if not below:
            present = ", ".join(sorted(path.name for path in _children(folder))) or "no folder at all"
            raise errors.NoClassFolders(
                f"Expected one folder per class in {folder} (NORMAL, PNEUMONIA), or parts that hold them (train, test). "
                f"Received: {present}."
            )
        found.extend(path for path in below if path.resolve() not in {other.resolve() for other in found})
    parts = tuple(Part(name, folder, _files(folder)) for name, folder in zip(_names(found), found, strict=True))
    if not any(part.paths for part in parts):
        raise errors.NoPictures(f"Expected pictures in the class folders of {', '.join(map(str, given))}. Received: no file at all.")
    return parts


def describe(path: str) -> tuple[str, str, str, bool]:
    """Return (label, kind, patient, whether the name tells the patient) of a file.

    Args:
        path: relative to its part, with forward slashes.
    """
    folder, _, name = path.partition("/")
    label = folder.upper()
    if not names.kind_of_folder(folder):
        return label, folder.lower(), f"{label}/{name}", False
    kind, patient = names.describe(path, kinds_needed=False)
    return label, kind, patient, names.tells_patient(patient)


def _parts_below(folder: Path, depth: int) -> list[Path]:
    """Return this folder where it holds class folders, else those below it that do. Known class names win over a guess."""
    children = _children(folder)
    if any(names.kind_of_folder(child.name) for child in children):
        return [folder]
    deeper = [part for child in children for part in _parts_below(child, depth - 1)] if depth else []
    if deeper:
        return deeper
    # Classes of other names: at least two folders that hold files and no folders.
    return [folder] if len(children) > 1 and all(_holds_files_alone(child) for child in children) else []


def _holds_files_alone(folder: Path) -> bool:
    return not _children(folder) and any(not path.name.startswith(".") for path in folder.iterdir())


def _children(folder: Path) -> list[Path]:
    """Return the folders within, sorted, less hidden ones and what archives from a Mac bring along."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX")))


def _files(folder: Path) -> tuple[str, ...]:
    files = (path for child in _children(folder) for path in child.rglob("*") if path.is_file() and not path.name.startswith("."))
    return tuple(sorted(path.relative_to(folder).as_posix() for path in files))


def _names(parts: Sequence[Path]) -> list[str]:
    """Name each part by its folder, with as much of the path as tells them apart."""
    resolved = [part.resolve().parts for part in parts]
    names = [part[-1] for part in resolved]
    for length in range(2, max(map(len, resolved)) + 1):
        counts = Counter(names)
        names = ["/".join(part[-length:]) if counts[name] > 1 else name for part, name in zip(resolved, names, strict=True)]
    return names
