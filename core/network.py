"""The network on LiteRT: one float32 picture in, probabilities, class activation maps and embedding out.

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
        maps: float32 array (h, w, K), class activation maps; their mean over (h, w) is the logit of each label.
        embedding: float32 array (d,), the pooled features.
    """

    probabilities: Floats
    maps: Floats
    embedding: Floats


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
            outputs = Outputs(*(interpreter.get_tensor(index)[0] for index in self._outputs))
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


def _match_tensors(interpreter: Interpreter, manifest: Manifest) -> tuple[int, tuple[int, int, int]]:
    """Return the input's index and those of probabilities, maps and embedding, found by their shapes."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    contract, labels = manifest.input, len(manifest.labels)
    wanted_input = (1, contract.height_px, contract.width_px, contract.channels)
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
    if not floats or [_shape(detail) for detail in inputs] != [wanted_input] or len(found) != 3 or len(outputs) != 3:
        raise errors.ModelUnavailable(
            f"Expected a float32 network from {wanted_input} to (1, {labels}), (1, h, w, {labels}) and (1, {manifest.embedding_size}). "
            f"Received: {[_shape(detail) for detail in inputs]} to {shapes}."
        )
    return inputs[0]["index"], (found["probabilities"], found["maps"], found["embedding"])


def _shape(detail: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in detail["shape"])
