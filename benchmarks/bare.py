"""The least that could answer for a JPEG: Pillow's decode, grey, resize, LiteRT's invoke. No checks, no calibration, no answer to write.

What `Service.handle` takes more than this is the price of all that it does besides.
"""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from core import settings
from core.images import DRAFT_FACTOR
from core.manifest import MANIFEST_FILE, NETWORK_FILE, read


class Bare:
    """The package's network on one thread, with its own input size and range."""

    def __init__(self, package: Path) -> None:
        contract = read(package)[0].input
        self._size = (contract.width_px, contract.height_px)
        self._draft_px = (contract.width_px * DRAFT_FACTOR, contract.height_px * DRAFT_FACTOR)
        self._scale, self._low = np.float32((contract.high - contract.low) / 255.0), np.float32(contract.low)
        self._channels = contract.channels
        self._interpreter = Interpreter(model_path=str(package / NETWORK_FILE), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def answer(self, data: bytes, draft: bool) -> list[npt.NDArray[Any]]:
        """Decode, resize and invoke; with `draft` the JPEG is decoded at the scale that core takes."""
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("L", self._draft_px)
        grey = image.convert("L").resize(self._size, Image.Resampling.BILINEAR)
        values = np.asarray(grey, dtype=np.float32)[np.newaxis, :, :, np.newaxis] * self._scale + self._low
        self._interpreter.set_tensor(self._input, np.broadcast_to(values, (*values.shape[:3], self._channels)))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def find_package(model: Path | None) -> Path:
    """Return the folder of the one package in `model`, or of the one that the service would load.

    Raises:
        FileNotFoundError: there is none, or more than one.
    """
    folder = model or settings.read(os.environ).model
    found = sorted(path.parent for path in folder.rglob(MANIFEST_FILE))
    if len(found) != 1:
        raise FileNotFoundError(f"Expected one model package in {folder}; name one as --model. Received: {len(found)}.")
    return found[0]
