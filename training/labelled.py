"""Some pictures of a folder per class, in memory: what `pneumonia package` tries conventions on, proves parity on, measures the margin on.

A few hundred, evenly spread over the folder, do for that; whoever calibrates reads all of them through `training.shifted_answers`.
"""

import hashlib
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from core.manifest import InputContract
from training import answers, cases, errors
from training.cases import Case, Cases
from training.pictures import GreyStack

MOST: Final = 300


class Labelled(NamedTuple):
    """The folder's files, and the pictures read of them.

    `grey`: uint8 array (N, height, width), values in [0, 255]. `pneumonia`: bool array (N,). `groups`: array of str (N,), the patients.
    """

    found: Cases
    grey: GreyStack
    pneumonia: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.str_]


def read(found: Cases, contract: InputContract, threads: int, progress: bool = True) -> Labelled:
    """Read at most MOST pictures, evenly spread.

    Args:
        found: the files.
        contract: the network's input.
        threads: how many pictures are in work at once.
        progress: show a progress bar on standard error.

    Raises:
        errors.NothingToEvaluate: none of them can be read.
    """

    def picture(case: Case, data: bytes) -> tuple[Case, str, GreyStack]:
        return case, hashlib.sha256(data).hexdigest(), answers.at_network_size(data, contract)[0]

    some = [found.cases[row] for row in spread(len(found.cases), MOST)]
    seen, unread = answers.for_each(some, picture, threads, "reading pictures", progress)
    if not seen:
        raise errors.NothingToEvaluate(
            f"Expected pictures in the class folders of {found.folder}. Received: {len(unread)} unreadable files."
        )
    shown, digests, grey = zip(*seen, strict=True)
    return Labelled(
        found,
        np.stack(grey),
        np.array([case.pneumonia for case in shown], dtype=np.bool_),
        np.array(cases.groups(shown, digests), dtype=np.str_),
    )


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` positions, evenly spread over `count`."""
    return [int(row) for row in np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))]
