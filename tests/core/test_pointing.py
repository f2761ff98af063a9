"""Does the heat map point at what was put into the picture? The pointing game (Zhang et al., Top-down Neural Attention, IJCV 2018).

A soft opacity is planted in one quadrant of the lungs; the shipped package's map must gain there. With the weights of each layer in random
order it must not (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018).
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core import heatmap, images, phantom
from core.manifest import NETWORK_FILE, Manifest, read
from core.network import Network
from tests.support.packages import baked, shuffled

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


def hits(played: Sequence[Played]) -> float:
    """Return the share of the opacities that the network noticed at which the map gained most near them."""
    noticed = [one for one in played if one.rise >= RISE]
    assert len(noticed) >= 20, "too few opacities were noticed to say anything"
    return float(np.mean([one.missed_px < NEAR_PX for one in noticed]))


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read(baked())[0]


@pytest.fixture(scope="module")
def network(manifest: Manifest) -> Network:
    return Network((baked() / NETWORK_FILE).read_bytes(), manifest, 1)


@pytest.fixture(scope="module")
def normal(data: Path) -> list[Picture]:
    paths = sorted((data / "chest_xray" / "train" / "NORMAL").iterdir())[::6]  # of fewer the share that is hit would be uncertain
    return [np.asarray(Image.open(path).convert("L").resize((SIDE_PX, SIDE_PX))) for path in paths]


@pytest.fixture(scope="module")
def phantoms() -> list[Picture]:
    return [np.asarray(Image.fromarray(phantom.chest(seed, 2 * SIDE_PX)).resize((SIDE_PX, SIDE_PX))) for seed in range(16)]


def test_map_gains_at_an_opacity_planted_in_a_phantom(network: Network, manifest: Manifest, phantoms: list[Picture]) -> None:
    noticed = [one for one in play(network, manifest, phantoms, manifest.map_offset) if one.rise >= RISE]

    assert len(noticed) >= 20
    assert np.mean([one.gained_near for one in noticed]) >= 0.7  # lungs that are drawn are unlike those it has learned from


def test_map_points_at_an_opacity_planted_in_a_real_picture(network: Network, manifest: Manifest, normal: list[Picture]) -> None:
    played = play(network, manifest, normal, manifest.map_offset)

    assert np.mean([one.gained_near for one in played if one.rise >= RISE]) >= 0.95
    assert hits(played) >= 0.85


def test_drawing_the_map_where_its_cells_look_brings_it_nearer(network: Network, manifest: Manifest, normal: list[Picture]) -> None:
    missed = {
        offset: np.mean([one.missed_px for one in play(network, manifest, normal[::5], offset) if one.rise >= RISE])
        for offset in ((0.0, 0.0), manifest.map_offset)
    }

    assert missed[manifest.map_offset] < missed[0.0, 0.0] - 3.0


def test_map_of_a_network_that_has_learned_nothing_points_nowhere(manifest: Manifest, normal: list[Picture]) -> None:
    flatbuffer = (baked() / NETWORK_FILE).read_bytes()
    missed: list[float] = []
    for seed in range(3):
        played = play(Network(shuffled(flatbuffer, seed), manifest, 1), manifest, normal[:16], manifest.map_offset, most=1.0)
        missed.extend(one.missed_px for one in played)

    assert np.mean([px < NEAR_PX for px in missed]) < 0.5
