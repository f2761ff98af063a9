"""The pictures of a data set in memory, read and preprocessed by the same functions that serve.

Kept as uint8 grey at the network's size (50 kB a picture), since augmentation works on grey levels; `inputs` makes of them what the network
takes.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from core import images
from core.errors import PictureError
from core.grey import Grey
from core.manifest import InputContract
from training.dataset import Dataset
from training.names import KINDS

_log = logging.getLogger(__name__)

GreyStack = npt.NDArray[np.uint8]


class Pictures(NamedTuple):
    """The readable pictures of a data set; row i of each array is `dataset.samples[i]`, until `take` leaves some out.

    `paths`: array of str (N,), of the samples. `grey`: uint8 array (N, height, width), values in [0, 255]. `labels`: int64 array (N,),
    positions in KINDS, or in the labels of a network that is retrained. `groups`: array of str (N,), the patient groups. `targets`: float32
    array (N, K), rows that sum to 1, where something else is taught than the labels.
    """

    dataset: Dataset
    paths: npt.NDArray[np.str_]
    grey: GreyStack
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_]
    unreadable: tuple[str, ...]
    targets: npt.NDArray[np.float32] | None = None

    def take(self, positions: Sequence[int]) -> "Pictures":
        """Return only these rows; the data set stays whole, since its digest says what the run has seen."""
        rows = np.asarray(positions, dtype=np.int64)
        targets = None if self.targets is None else self.targets[rows]
        return self._replace(
            paths=self.paths[rows], grey=self.grey[rows], labels=self.labels[rows], groups=self.groups[rows], targets=targets
        )


def load(dataset: Dataset, contract: InputContract, progress: bool = True) -> Pictures:
    """Read all pictures through `core.images`; those that cannot be read are logged with the reason and left out.

    Returns:
        The pictures; `unreadable` holds the paths of those left out, and `dataset` is without them.
    """
    grey: list[GreyStack] = []
    unreadable: list[str] = []
    for sample in tqdm(dataset.samples, "decoding", unit="picture", disable=not progress):
        try:
            picture = images.decode((dataset.folder / sample.path).read_bytes())
        except PictureError as error:
            _log.warning("%s is left out: %s: %s", sample.path, error.code, error)
            unreadable.append(sample.path)
        else:
            grey.append(shrink(picture.grey, contract))
    shape = (0, contract.height_px, contract.width_px)
    return of(
        dataset.without(unreadable) if unreadable else dataset, np.stack(grey) if grey else np.zeros(shape, np.uint8), KINDS, unreadable
    )


def of(dataset: Dataset, grey: GreyStack, labels: Sequence[str], unreadable: Sequence[str]) -> Pictures:
    """Return the pictures of a data set whose grey levels are read.

    Args:
        dataset: N samples, all of them readable.
        grey: uint8 array (N, height, width), in the order of the samples.
        labels: names of kinds, that of each sample among them.
        unreadable: paths of what was left out.
    """
    return Pictures(
        dataset=dataset,
        paths=np.asarray([sample.path for sample in dataset.samples], dtype=np.str_),
        grey=grey,
        labels=np.asarray([labels.index(sample.kind) for sample in dataset.samples], dtype=np.int64),
        groups=np.asarray([sample.group for sample in dataset.samples], dtype=np.str_),
        unreadable=tuple(unreadable),
    )


def shrink(grey: Grey, contract: InputContract) -> GreyStack:
    """Bring one grey picture to the network's size by the one preprocessing function, still in grey levels.

    Returns:
        uint8 array (height_px, width_px). Exact for sources of 8 bits; deeper ones lose at most half a grey level.
    """
    levels = msgspec.structs.replace(contract, channels=1, low=0.0, high=255.0)
    return np.rint(images.preprocess(grey, levels)[:, :, 0]).astype(np.uint8)


def inputs(grey: GreyStack, contract: InputContract) -> npt.NDArray[np.float32]:
    """Turn grey pictures (N, height, width) into the network's input: float32 array (N, height_px, width_px, channels)."""
    return np.stack([images.preprocess(picture, contract) for picture in grey])
