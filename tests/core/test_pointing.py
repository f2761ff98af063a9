"""The shipped package's heat map points at a soft opacity that is planted in the lungs: `benchmarks.pointing`.

With the weights of each layer in random order it must not (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018).
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.pointing import NEAR_PX, SIDE_PX, Picture, hits, missed_px, normal_pictures, noticed, play
from core import phantom
from core.manifest import NETWORK_FILE, Manifest, read
from core.network import Network
from tests.support.packages import baked, shuffled


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read(baked())[0]


@pytest.fixture(scope="module")
def network(manifest: Manifest) -> Network:
    return Network((baked() / NETWORK_FILE).read_bytes(), manifest, 1)


@pytest.fixture(scope="module")
def normal(data: Path) -> list[Picture]:
    return normal_pictures(data / "chest_xray" / "train")


@pytest.fixture(scope="module")
def phantoms() -> list[Picture]:
    return [np.asarray(Image.fromarray(phantom.chest(seed, 2 * SIDE_PX)).resize((SIDE_PX, SIDE_PX))) for seed in range(16)]


def test_map_gains_at_an_opacity_planted_in_a_phantom(network: Network, manifest: Manifest, phantoms: list[Picture]) -> None:
    found = noticed(play(network, manifest, phantoms, manifest.map_offset))

    assert np.mean([one.gained_near for one in found]) >= 0.7  # lungs that are drawn are unlike those it has learned from


def test_map_points_at_an_opacity_planted_in_a_real_picture(network: Network, manifest: Manifest, normal: list[Picture]) -> None:
    played = play(network, manifest, normal, manifest.map_offset)

    assert np.mean([one.gained_near for one in noticed(played)]) >= 0.95
    assert hits(played) >= 0.85


def test_drawing_the_map_where_its_cells_look_brings_it_nearer(network: Network, manifest: Manifest, normal: list[Picture]) -> None:
    missed = {offset: missed_px(play(network, manifest, normal[::5], offset)) for offset in ((0.0, 0.0), manifest.map_offset)}

    assert missed[manifest.map_offset] < missed[0.0, 0.0] - 3.0


def test_map_of_a_network_that_has_learned_nothing_points_nowhere(manifest: Manifest, normal: list[Picture]) -> None:
    flatbuffer = (baked() / NETWORK_FILE).read_bytes()
    missed: list[float] = []
    for seed in range(10):  # orders differ more than pictures: one hits none, another half
        played = play(Network(shuffled(flatbuffer, seed), manifest, 1), manifest, normal[:5], manifest.map_offset, most=1.0)
        missed.extend(one.missed_px for one in played)

    assert np.mean([px < NEAR_PX for px in missed]) < 0.5
