"""Keras to LiteRT, and the proof that nothing was lost. This module and `precision` are all that needs TensorFlow."""

import logging
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from core.network import Network
from core.quiet import quiet_native_code
from training import errors

_log = logging.getLogger(__name__)

PARITY_FLOAT32: Final = 1e-4
PARITY_FLOAT16: Final = 2e-3
"""Largest difference of a probability from Keras that is accepted, for full weights and for weights of half precision."""


def can_export() -> bool:
    """Return whether TensorFlow runs, which alone of Keras's backends exports to LiteRT."""
    return bool(keras.backend.backend() == "tensorflow")


def foretell() -> None:
    """Say before hours of learning what will be missing after them."""
    if not can_export():
        _log.info(
            "learning on %s, which does not export: give the same command with KERAS_BACKEND=tensorflow afterwards", keras.backend.backend()
        )


def require_tensorflow() -> None:
    """Refuse another backend: only TensorFlow exports.

    Raises:
        errors.ConversionFailed: another backend runs.
    """
    if not can_export():
        raise errors.ConversionFailed(
            f"Expected the tensorflow backend for export. Received: {keras.backend.backend()}. Run the same command with "
            "KERAS_BACKEND=tensorflow: it goes on in the same work folder and exports."
        )


def to_litert(model: keras.Model) -> bytes:
    """Convert a network for one picture at a time.

    Args:
        model: float32 (N, height, width, channels) -> any outputs.

    Returns:
        A flatbuffer in float32 whose batch is 1.

    Raises:
        errors.ConversionFailed: another backend than TensorFlow runs, or TensorFlow refuses.
    """
    require_tensorflow()
    # TFLiteConverter.from_concrete_functions leaves the head's variables out (NaN at inference); Keras goes through a SavedModel.
    signature = [keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        _log.info("converting to LiteRT")
        try:
            with quiet_native_code():  # it warns of options that Keras gives it
                model.export(path, format="litert", input_signature=signature, verbose=False)
        except Exception as error:  # the converter raises its own kind and bare exceptions alike
            raise errors.ConversionFailed(f"Expected a network that LiteRT can run. Received: {error}") from error
        return path.read_bytes()


def run_all(network: Network, values: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Return the probabilities, float32 array (N, K), of network inputs (N, height, width, channels); in threads, one an interpreter."""
    with ThreadPoolExecutor(network.interpreters) as pool:
        return np.stack(list(pool.map(lambda value: network.run(value).probabilities, values)))


def check_parity(
    expected: npt.NDArray[Any], networks: Sequence[tuple[str, Network, float]], values: npt.NDArray[np.float32]
) -> dict[str, float]:
    """Hold converted networks against Keras.

    Args:
        expected: what Keras says, (N, K) probabilities.
        networks: (name, network, tolerance) each.
        values: the inputs, float32 array (N, height, width, channels).

    Returns:
        For each name the largest difference of a probability.

    Raises:
        errors.ParityBroken: a difference is above its tolerance.
    """
    differences = {}
    for name, network, tolerance in networks:
        difference = float(np.abs(run_all(network, values) - expected).max())
        if not difference <= tolerance:
            raise errors.ParityBroken(
                f"Expected the {name} network to differ from Keras by at most {tolerance} on {len(values)} pictures. "
                f"Received: {difference}."
            )
        differences[name] = difference
    return differences
