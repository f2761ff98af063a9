"""Converts a model from elsewhere and proves that nothing was lost: the same probabilities, and maps whose mean is its logits."""

import logging
from pathlib import Path
from typing import Final, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from core import images, phantom
from core.errors import PictureError
from core.manifest import InputContract, Manifest
from core.network import Network
from training import convert, errors, heads, precision
from training import pictures as stacks
from training.conventions import Values
from training.declarations import Found
from training.heads import Head
from training.labelled import Labelled, spread
from training.pictures import GreyStack

_log = logging.getLogger(__name__)

_PARITY_PICTURES: Final = 128
_PHANTOMS: Final = 8
_MAPS_TOLERANCE: Final = 2e-2  # of the largest logit: weights of half precision


class Subject(NamedTuple):
    """The model that is brought: as it came, flattened, its end, and the convention of its values."""

    model: keras.Model
    flat: keras.Model
    head: Head
    values: Values


def pictures(folder: Path | None, labelled: Labelled | None, contract: InputContract, found: Found) -> GreyStack:
    """Return the pictures on which the package is proven equal to Keras: uint8 array (N, height, width)."""
    if folder is not None:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        read = (picture for file in files if (picture := _read(file, contract)) is not None)
        grey = [picture for _, picture in zip(range(_PARITY_PICTURES), read, strict=False)]
        if not grey:
            raise errors.DatasetMissing(f"Expected pictures in {folder}. Received: {len(files)} files, none a picture.")
        found["proven on"] = f"{len(grey)} pictures of {folder.resolve().name}"
        return np.stack(grey)
    if labelled is not None:
        rows = spread(len(labelled.grey), _PARITY_PICTURES)
        found["proven on"] = f"{len(rows)} pictures of the data set"
        return labelled.grey[rows]
    found["proven on"] = f"{_PHANTOMS} synthetic chests"
    return np.stack([stacks.shrink(phantom.chest(seed, 256), contract) for seed in range(_PHANTOMS)])


def _read(file: Path, contract: InputContract) -> GreyStack | None:
    try:
        return stacks.shrink(images.decode(file.read_bytes()).grey, contract)
    except PictureError as error:
        _log.warning("%s is left out: %s: %s", file.name, error.code, error)
        return None


def converted(subject: Subject, manifest: Manifest, grey: GreyStack) -> tuple[bytes, dict[str, float]]:
    """Return the network, proven equal to the model as it came, and the largest differences; weights are halved where that costs nothing.

    The model is fed by the convention's own arithmetic, the network by the preprocessing that serves.
    """
    _log.info("converting to LiteRT")
    expected = heads.predict(subject.model, subject.head, subject.values.of_grey(grey, manifest.input.channels))
    values = stacks.inputs(grey, manifest.input)
    full = convert.to_litert(heads.network(subject.flat, subject.head, subject.values.front()))
    parity = convert.check_parity(expected, [("float32", Network(full, manifest, 1), convert.PARITY_FLOAT32)], values)
    halved = precision.halve(full)
    try:
        twin = convert.check_parity(expected, [("float16", Network(halved, manifest, 1), convert.PARITY_FLOAT16)], values)
    except errors.ParityBroken as error:
        _log.warning("weights stay in float32: %s", error)
        return full, parity
    return halved, {**parity, **twin}


def hold_maps(subject: Subject, network: Network, contract: InputContract, grey: GreyStack) -> None:
    """Hold the mean of the served maps against the logits of the model as it came.

    Raises:
        errors.ParityBroken: they differ.
    """
    head = subject.head
    pooled = keras.Model(subject.flat.inputs[0], keras.ops.mean(head.features, axis=(1, 2)))
    given = subject.values.of_grey(grey, contract.channels)
    for value, served in zip(given, stacks.inputs(grey, contract), strict=True):
        logits = np.asarray(pooled(value[np.newaxis]))[0] @ head.kernel + head.bias
        maps = network.run(served).maps
        difference = float("inf") if maps is None else _largest(maps.mean(axis=(0, 1)) - logits)
        if not difference <= _MAPS_TOLERANCE * max(1.0, _largest(logits)):
            raise errors.ParityBroken(f"Expected the mean of the class activation maps to be the logits. Received: {difference} apart.")


def _largest(values: npt.NDArray[np.float32]) -> float:
    return float(np.abs(values).max())
