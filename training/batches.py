"""Batches for `keras.Model.fit`: varied pictures, what is taught of them, weights that balance the classes."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract
from training.augment import Augmentation, vary
from training.pictures import Pictures, inputs

_WORKERS = 2  # threads; Pillow and NumPy let go of the lock, and the network needs the cores too


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """One epoch over `pictures` in a seeded order, each picture varied by a generator of its own: the same whatever the threads do."""

    def __init__(
        self, pictures: Pictures, contract: InputContract, augmentation: Augmentation, batch_size: int, labels: int, seed: tuple[int, int]
    ) -> None:
        """Plan one epoch.

        Args:
            pictures: what to show.
            contract: the network's input; its size may differ from that of the pictures.
            augmentation: how far pictures are varied.
            batch_size: pictures a step; the last batch may be smaller.
            labels: number of classes.
            seed: (the run's seed, number of the epoch over all phases).
        """
        super().__init__(workers=_WORKERS, use_multiprocessing=False, max_queue_size=16)
        self._pictures = pictures
        self._contract = contract
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._seed = seed
        self._order = np.random.default_rng(seed).permutation(len(pictures.labels))
        self._targets = np.eye(labels, dtype=np.float32)[pictures.labels] if pictures.targets is None else pictures.targets
        self._weights = class_weights(pictures.labels, labels)

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        """Return (pictures (N, height, width, 1), targets (N, K), weights (N,)), all float32."""
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        varied = [self._varied(int(row)) for row in rows]
        return inputs(np.stack(varied), self._contract), self._targets[rows], self._weights[self._pictures.labels[rows]]

    def _varied(self, row: int) -> npt.NDArray[np.uint8]:
        return vary(self._pictures.grey[row], np.random.default_rng((*self._seed, row)), self._augmentation, self._contract.width_px)


def class_weights(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float32]:
    """Return for each class N / (K N_k), float32 array (K,): every class weighs the same in the loss, and the mean weight is 1."""
    occurrences = np.bincount(labels, minlength=count)
    return (len(labels) / (count * np.maximum(occurrences, 1))).astype(np.float32)
