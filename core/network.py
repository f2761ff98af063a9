"""The network on LiteRT: one float32 picture in, probabilities out, and class activation maps and embedding where the package has them.

An interpreter is not thread-safe, so a small pool hands each thread its own. They are made when they are first needed: most instances
serve one request at a time and never pay for a second.
"""

import threading
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from core import errors
from core.manifest import Manifest

Floats = npt.NDArray[np.float32]


class Outputs(NamedTuple):
    """What the network says of one picture; K labels.

    Attributes:
        probabilities: float32 array (K,), in [0, 1], before calibration.
        maps: float32 array (h, w, K), class activation maps; their mean over (h, w) is the logit of each label. None without them.
        embedding: float32 array (d,), the pooled features. None without it.
    """

    probabilities: Floats
    maps: Floats | None
    embedding: Floats | None


class Network:
    """A pool of interpreters over one flatbuffer."""

    def __init__(self, flatbuffer: bytes, manifest: Manifest, interpreters: int) -> None:
        """Make the first interpreter and hold its shapes against the manifest.

        Raises:
            errors.ModelUnavailable: the flatbuffer is not one, or its shapes are not those of the manifest.
        """
        self.interpreters = interpreters
        self._flatbuffer = flatbuffer
        self._slots = threading.BoundedSemaphore(interpreters)
        try:
            first = self._new_interpreter()
        except (ValueError, RuntimeError) as error:
            raise errors.ModelUnavailable(f"Expected a LiteRT network. Received: one that cannot be loaded ({error}).") from error
        self._input, self._outputs = _match_tensors(first, manifest)
        self._free = [first]

    def run(self, values: Floats) -> Outputs:
        """Run one picture through the network; thread-safe, waits while all interpreters are busy.

        Args:
            values: float32 array (height, width, channels) as the manifest's input says.
        """
        with self._slots:
            interpreter = self._take()
            interpreter.set_tensor(self._input, values[np.newaxis])
            interpreter.invoke()
            probabilities, *others = self._outputs
            given = (None if index is None else interpreter.get_tensor(index)[0] for index in others)
            outputs = Outputs(interpreter.get_tensor(probabilities)[0], *given)
            self._free.append(interpreter)  # not one that failed: the pool makes another
            return outputs

    def _take(self) -> Interpreter:
        try:
            return self._free.pop()  # atomic: a list is a stack that threads can share
        except IndexError:
            return self._new_interpreter()

    def _new_interpreter(self) -> Interpreter:
        interpreter = Interpreter(model_content=self._flatbuffer, num_threads=1)
        interpreter.allocate_tensors()
        return interpreter


def _match_tensors(interpreter: Interpreter, manifest: Manifest) -> tuple[int, tuple[int, int | None, int | None]]:
    """Return the input's index and those of probabilities, maps and embedding, found by their shapes; None for what the package lacks."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    contract, labels = manifest.input, len(manifest.labels)
    wanted_input = (1, contract.height_px, contract.width_px, contract.channels)
    wanted = {"probabilities": f"(1, {labels})"}
    if manifest.class_activation_maps:
        wanted["maps"] = f"(1, h, w, {labels})"
    if manifest.embedding_size is not None:
        wanted["embedding"] = f"(1, {manifest.embedding_size})"
    shapes = [_shape(detail) for detail in outputs]
    found: dict[str, int] = {}
    for detail, shape in zip(outputs, shapes, strict=True):
        if shape == (1, labels):
            found["probabilities"] = detail["index"]
        elif shape == (1, manifest.embedding_size):
            found["embedding"] = detail["index"]
        elif len(shape) == 4 and shape[3] == labels:
            found["maps"] = detail["index"]
    floats = all(detail["dtype"] is np.float32 for detail in (*inputs, *outputs))
    fits = [_shape(detail) for detail in inputs] == [wanted_input] and found.keys() == wanted.keys() and len(outputs) == len(wanted)
    if not floats or not fits:
        raise errors.ModelUnavailable(
            f"Expected a float32 network from {wanted_input} to {' and '.join(wanted.values())}. "
            f"Received: {[_shape(detail) for detail in inputs]} to {shapes}."
        )
    return inputs[0]["index"], (found["probabilities"], found.get("maps"), found.get("embedding"))


def _shape(detail: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in detail["shape"])
