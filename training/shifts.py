"""Predictions under simulated shift: what chooses the epoch, the temperature and the thresholds.

Patients of one hospital's train set all look separable to a network that learned from its other patients; under shift they do not.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from core.manifest import InputContract
from training import calibrate
from training.augment import SHIFTS, shift
from training.kept import NOTHING, Kept
from training.pictures import GreyStack, Pictures, inputs

Predict = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]
"""Network input (N, height, width, channels) -> probabilities (N, K)."""

_CHUNK = 256  # pictures preprocessed at once: 51 MB of input
_BATCH = 64


def predictor(model: keras.Model) -> Predict:
    """Return a function that gives the probabilities of a model that ends in logits."""

    def predict(values: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        logits = np.asarray(model.predict(values, batch_size=_BATCH, verbose=0), dtype=np.float64)
        return calibrate.softmax(logits)

    return predict


def predict(network: Predict, grey: GreyStack, contract: InputContract) -> npt.NDArray[np.float64]:
    """Return the probabilities, float64 array (N, K), of grey pictures (N, height, width)."""
    chunks = [network(inputs(grey[start : start + _CHUNK], contract)) for start in range(0, len(grey), _CHUNK)]
    return np.concatenate([np.asarray(chunk, dtype=np.float64) for chunk in chunks])


def shifted(grey: GreyStack, names: Sequence[str]) -> GreyStack:
    """Return the pictures, picture i under the shift `names[i % len(names)]` at seed i: uint8 array (N, height, width)."""
    return np.stack([shift(picture, names[row % len(names)], row) for row, picture in enumerate(grey)])


def predict_all(
    network: Predict,
    pictures: Pictures,
    contract: InputContract,
    names: Sequence[str] = SHIFTS,
    progress: bool = True,
    kept: Kept = NOTHING,
    part: str = "",
) -> npt.NDArray[np.float64]:
    """Return the probabilities under every shift: float64 array (len(names), N, K), of SHIFTS the plain pictures first.

    Args:
        network: predicts.
        pictures: N of them.
        contract: the network's input.
        names: of the shifts.
        progress: show a progress bar on standard error.
        kept: of all the above but for what `part` tells apart; a shift is kept as a whole.
        part: which network is asked about which pictures.
    """

    def under(name: bytes) -> bytes:
        return predict(network, shifted(pictures.grey, [name.decode()]), contract).tobytes()

    predicted = kept.remember(part, under, bytes)
    rows = [predicted(name.encode()) for name in tqdm(names, "simulated shifts", unit="shift", disable=not progress)]
    return np.frombuffer(b"".join(rows)).reshape(len(names), len(pictures.labels), -1).copy()
