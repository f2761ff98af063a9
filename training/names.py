"""What the folder and the name of a file tell: which kind a picture shows, and whose it is.

The public data set (Kermany et al. 2018) says both in its names; other data sets may say the kind by the folder, and need say no more.
"""

import re
from pathlib import PurePosixPath
from typing import Final

from training import errors

NORMAL: Final = "normal"
BACTERIAL: Final = "bacterial pneumonia"
VIRAL: Final = "viral pneumonia"
KINDS: Final = (NORMAL, BACTERIAL, VIRAL)
"""The labels, in the order of the network's outputs."""
PNEUMONIA: Final = "pneumonia"
"""What a picture shows whose name does not tell the kind; no output of the network."""

KIND_OF_FOLDER: Final = {
    "normal": NORMAL,
    "pneumonia": PNEUMONIA,
    **dict.fromkeys(("bacterialpneumonia", "bacterial", "bacteria"), BACTERIAL),
    **dict.fromkeys(("viralpneumonia", "viral", "virus"), VIRAL),
}
"""What a class folder means, by `folder_key` of its name; of PNEUMONIA the names of its files tell the kind."""

# The person counter restarts for each kind: person78_bacteria and person78_virus are two children.
_OF_KIND: Final = re.compile(r"^(person\d+)_(bacteria|virus)(?:_|\.|$)", re.IGNORECASE)
_PERSON: Final = re.compile(r"^(person\d+)(?:[_-]|\.|$)", re.IGNORECASE)
_NORMAL: Final = re.compile(r"^((?:NORMAL2-)?IM-\d+)(?:-|\.|$)", re.IGNORECASE)
_KIND_OF_WORD: Final = {"bacteria": BACTERIAL, "virus": VIRAL}


def describe(path: str, kinds_needed: bool = True) -> tuple[str, str]:
    """Return (kind, patient) as the folder and the name of a file tell them.

    Args:
        path: relative to the data set's folder, with forward slashes: "PNEUMONIA/person78_virus_140.jpeg".
        kinds_needed: refuse what tells no kind; else its kind is `PNEUMONIA`, as other data sets have it.

    Raises:
        errors.UnknownKind: a file in PNEUMONIA whose name says no kind.
    """
    folder, _, below = path.partition("/")
    kind = kind_of_folder(folder) or PNEUMONIA
    name = below.rsplit("/", 1)[-1]
    of_kind = _OF_KIND.match(name)
    if kind == PNEUMONIA and of_kind:
        kind = _KIND_OF_WORD[of_kind.group(2).lower()]
    if kind == PNEUMONIA and kinds_needed:
        raise errors.UnknownKind(
            "Expected names like person<N>_bacteria_<K> or person<N>_virus_<K> in PNEUMONIA, which tell the kind, or a folder for each "
            f"kind, bacterial-pneumonia and viral-pneumonia. Received: {name!r}."
        )
    # A name that tells no patient: each picture counts as a patient of its own.
    return kind, _patient(name) or f"{folder.upper()}/{PurePosixPath(below).with_suffix('')}"


def _patient(name: str) -> str | None:
    if of_kind := _OF_KIND.match(name):
        return f"{of_kind.group(1)}_{of_kind.group(2)}".lower()
    if person := _PERSON.match(name):
        return person.group(1).lower()
    normal = _NORMAL.match(name)
    return normal.group(1).upper() if normal else None


def tells_patient(patient: str) -> bool:
    """Return whether the name of the file told the patient that `describe` gave; else it is called by its folder, too."""
    return "/" not in patient


def is_public(path: str) -> bool:
    """Return whether a file, given as to `describe`, lies and is called as in the public data set."""
    folder, _, name = path.partition("/")
    form = {"NORMAL": _NORMAL, "PNEUMONIA": _OF_KIND}.get(folder.upper())
    return form is not None and form.match(name) is not None


def kind_of_folder(name: str) -> str | None:
    """Return what a class folder of this name means, one of KINDS or PNEUMONIA; None where it is none that can teach."""
    return KIND_OF_FOLDER.get(folder_key(name))


def folder_key(name: str) -> str:
    """Return what of a folder's name matters: letters and digits, small."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
