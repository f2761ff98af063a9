"""Does a heat map point at what was put into the picture? The pointing game (Zhang et al., Top-down Neural Attention, IJCV 2018).

Called by `python -m benchmarks.pointing PACKAGE DATASET`, with normal pictures of the data set, and by the tests.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core import heatmap, images
from core.manifest import NETWORK_FILE, Manifest, read
from core.network import Network

SIDE_PX = 224
SPREAD_PX = 26.0
NEAR_PX = 50.0
QUADRANTS = ((72, 82), (72, 137), (152, 82), (152, 137))
"""Middle of the upper and the lower half of each lung, x and y, in a frontal chest X-ray of SIDE_PX."""
RISE = 0.1

Picture = npt.NDArray[np.uint8]


class Played(NamedTuple):
    """One planted opacity: how much the probability rose, whether the map gained near it, and how far from it the map gained most."""

    rise: float
    gained_near: bool
    missed_px: float


def plant(grey: Picture, at: tuple[int, int]) -> Picture:
    """Veil a part of a lung as a consolidation does: soft-edged, nearly as bright as the heart, a little uneven."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    veil = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * SPREAD_PX**2))
    coarse = np.random.default_rng(0).normal(0.0, 1.0, (28, 28)).astype(np.float32)
    uneven = np.asarray(Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    veiled: Picture = np.clip(grey + veil * (np.maximum(200.0 - grey, 0.0) * 0.9 + 8.0 * uneven), 0, 255).astype(np.uint8)
    return veiled


def shown(network: Network, manifest: Manifest, grey: Picture, offset: tuple[float, float]) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the probability of pneumonia and the opacity of the map over the picture."""
    outputs = network.run(images.preprocess(grey, manifest.input))
    assert outputs.maps is not None
    pneumonia = 1.0 - float(outputs.probabilities[manifest.negative_index])
    png = heatmap.render(heatmap.evidence(outputs.maps, manifest.negative_index, pneumonia), SIDE_PX, SIDE_PX, offset)
    return pneumonia, np.asarray(Image.open(io.BytesIO(png)))[:, :, 3].astype(float)


def play(network: Network, manifest: Manifest, pictures: Sequence[Picture], offset: tuple[float, float], most: float = 0.5) -> list[Played]:
    """Plant an opacity in every quadrant of every picture with at most this probability of pneumonia."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    played = []
    for grey in pictures:
        before, map_before = shown(network, manifest, grey, offset)
        for at in QUADRANTS if before <= most else ():
            after, map_after = shown(network, manifest, plant(grey, at), offset)
            gain = map_after - map_before
            near = np.hypot(x - at[0], y - at[1]) < NEAR_PX
            most_y, most_x = np.unravel_index(gain.argmax(), gain.shape)
            missed_px = float(np.hypot(float(most_x) - at[0], float(most_y) - at[1]))
            played.append(Played(after - before, bool(gain[near].mean() > max(0.0, gain[~near].mean())), missed_px))
    return played


def noticed(played: Sequence[Played]) -> list[Played]:
    """Return the opacities that the network noticed: those that raised the probability by RISE."""
    found = [one for one in played if one.rise >= RISE]
    assert len(found) >= 20, "too few opacities were noticed to say anything"
    return found


def hits(played: Sequence[Played]) -> float:
    """Return the share of the opacities that the network noticed at which the map gained most near them."""
    return float(np.mean([one.missed_px < NEAR_PX for one in noticed(played)]))


def missed_px(played: Sequence[Played]) -> float:
    """Return how far, in the mean, from those opacities the map gained most."""
    return float(np.mean([one.missed_px for one in noticed(played)]))


def normal_pictures(dataset: Path) -> list[Picture]:
    """Return every sixth normal picture of a data set: of fewer the share that is hit would be uncertain."""
    paths = sorted((dataset / "NORMAL").iterdir())[::6]
    return [np.asarray(Image.open(path).convert("L").resize((SIDE_PX, SIDE_PX))) for path in paths]


def main() -> int:
    """Print how a package's maps point, drawn at the cells' own places and where the cells look."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pointing", description=__doc__)
    parser.add_argument("package", type=Path, metavar="PACKAGE")
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/")
    arguments = parser.parse_args()
    manifest, pictures = read(arguments.package)[0], normal_pictures(arguments.dataset)
    network = Network((arguments.package / NETWORK_FILE).read_bytes(), manifest, 1)
    for name, offset in (("at the cells' own places", (0.0, 0.0)), ("where the cells look", manifest.map_offset)):
        played = play(network, manifest, pictures, offset)
        share, count, beside_px = hits(played), len(noticed(played)), missed_px(played)
        print(f"{name}: {share:.0%} of {count} opacities in {len(pictures)} pictures are hit, {beside_px:.0f} px beside them in the mean")
    return 0


if __name__ == "__main__":
    sys.exit(main())
