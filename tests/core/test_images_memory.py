"""What a single request can cost in memory: nothing for a bomb, a bounded amount for the largest picture that is read."""

import json
import subprocess
import sys
from collections.abc import Mapping
from math import isqrt
from pathlib import Path

import numpy as np
import pytest

from core import images
from tests.support.pictures import bombs, png

MIB = 1024
MEASURE = """
import json, resource, sys
from pathlib import Path
from core import errors, images, phantom
images.decode(phantom.jpeg())
def peak_kib(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
growth = {}
for path in map(Path, sys.argv[1:]):
    data, before = path.read_bytes(), peak_kib()
    try:
        images.decode(data)
    except errors.PictureTooLarge:
        growth[path.name] = ["refused", peak_kib() - before]
    else:
        growth[path.name] = ["read", peak_kib() - before]
print(json.dumps(growth))
"""


def measure(folder: Path, pictures: Mapping[str, bytes]) -> dict[str, tuple[str, int]]:
    """Decode pictures one after the other in a fresh process; return for each what came of it and by how many KiB the peak rose."""
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    command = [sys.executable, "-c", MEASURE, *(str(folder / name) for name in pictures)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: (outcome, kib) for name, (outcome, kib) in json.loads(done.stdout).items()}


def test_refusing_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    measured = measure(tmp_path, {bomb.name: bomb.data for bomb in bombs()})

    assert {outcome for outcome, _ in measured.values()} == {"refused"}
    assert max(kib for _, kib in measured.values()) < 32 * MIB, measured


@pytest.mark.parametrize(
    ("channels", "depth"), [(1, 8), (1, 16), (2, 8), (3, 8), (3, 16), (4, 8)], ids=["grey", "grey-16", "alpha", "rgb", "rgb-16", "rgba"]
)
def test_largest_picture_that_is_read_takes_a_bounded_amount(tmp_path: Path, channels: int, depth: int) -> None:
    side_px = isqrt(images.MAX_PIXELS)
    pixels = np.zeros((side_px, side_px) if channels == 1 else (side_px, side_px, channels), np.uint16 if depth == 16 else np.uint8)

    [(outcome, kib)] = measure(tmp_path, {"largest.png": png(pixels, depth)}).values()

    assert outcome == "read"
    assert kib < 256 * MIB
