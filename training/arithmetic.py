"""On what and in what a run learns: bfloat16 is half the work where the processor knows it, and many times the work elsewhere."""

import logging
import time
from typing import Final

import keras
import numpy as np

from training import libraries

_log = logging.getLogger(__name__)

POLICIES: Final = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
"""Of a recipe's precision, what Keras calls it; the weights are float32 in either."""

_SLOWER: Final = 1.5  # times as long, before it counts: beside other work two steps differ by less
_SHAPE = (32, 32, 64)
_BATCH = 2
_STEPS = 3


def affordable(precision: str) -> str:
    """Return the precision that a recipe asks for, or "float32" where this machine learns far faster in it; a warning says so.

    Args:
        precision: one of POLICIES.
    """
    if precision == "float32":
        return precision
    asked_s, plain_s = seconds(precision), seconds("float32")
    if asked_s <= _SLOWER * plain_s:
        return precision
    _log.warning("learning in float32: %s, which the recipe asks for, takes %.1f times as long here", precision, asked_s / plain_s)
    return "float32"


def backend() -> dict[str, str]:
    """Return the version of the Keras backend that runs, by its name."""
    name = keras.backend.backend()
    return {name: libraries.version(name)}


def seconds(precision: str) -> float:
    """Return how long a step of two convolutions as in VGG16 takes, the best of a few. The way forward alone is fast in either."""
    inputs = keras.Input(_SHAPE)
    features = inputs
    for _ in range(2):
        features = keras.layers.Conv2D(_SHAPE[-1], 3, padding="same", dtype=POLICIES[precision])(features)
    outputs = keras.layers.Dense(1, dtype="float32")(keras.layers.GlobalAveragePooling2D()(features))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    pictures, truth = np.zeros((_BATCH, *_SHAPE), np.float32), np.zeros((_BATCH, 1), np.float32)
    model.train_on_batch(pictures, truth)
    taken = []
    for _ in range(_STEPS):
        start = time.perf_counter()
        model.train_on_batch(pictures, truth)
        taken.append(time.perf_counter() - start)
    return min(taken)
