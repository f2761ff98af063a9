"""Local evidence and its picture: the same scale for all, in the proportions of the original."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from core import heatmap, images, phantom
from core.classifier import Classifier
from tests.support.pictures import encode


def draw(cells: np.ndarray, width_px: int = 70, height_px: int = 70) -> np.ndarray:
    """Return the rendered map: uint8 array (height, width, 4)."""
    with Image.open(io.BytesIO(heatmap.render(cells, width_px, height_px))) as image:
        assert (image.format, image.mode) == ("PNG", "RGBA")
        return np.asarray(image)


def test_strongest_cell_has_the_probability_and_the_others_their_share_of_it() -> None:
    maps = np.array([[[0.0, 2.0, 2.0], [0.0, 1.0, 1.0], [2.0, 0.0, 0.0]]], np.float32)

    cells = heatmap.evidence(maps, negative=0, probability=0.8)

    margins = np.array([2.0 + np.log(2.0), 1.0 + np.log(2.0), 0.0])  # the last lies below the negative label: log(2) - 2 < 0
    assert np.allclose(cells, [0.8 * margins / margins[0]])


@pytest.mark.parametrize("negative", [0, 1, 2])
def test_evidence_follows_the_negative_label_wherever_it_stands(negative: int) -> None:
    maps = np.zeros((2, 2, 3), np.float32)
    maps[0, 0, negative] = 9.0
    maps[1, 1, negative] = -9.0

    cells = heatmap.evidence(maps, negative, 1.0)

    assert cells[0, 0] == 0.0
    assert cells[1, 1] == 1.0


def test_picture_without_evidence_stays_clear() -> None:
    maps = np.array([[[5.0, 0.0, 0.0], [9.0, 1.0, 0.0]]], np.float32)

    assert not heatmap.evidence(maps, 0, 0.01).any()


@pytest.mark.parametrize("scale", [1e3, 1e30, 3e38])
def test_extreme_maps_stay_within_0_and_1(scale: float) -> None:
    maps = np.array([[[scale, -scale, 0.0], [-scale, scale, 0.0]]], np.float32)

    cells = heatmap.evidence(maps, 0, 0.1)

    assert np.isfinite(cells).all()
    assert (cells >= 0.0).all()
    assert (cells <= 1.0).all()


@pytest.mark.parametrize(
    ("width_px", "height_px", "size"),
    [
        (70, 50, (70, 50)),
        (1024, 512, (512, 256)),
        (512, 2048, (128, 512)),
        (3000, 32, (512, 5)),
        (20_000, 32, (512, 1)),
        (512, 512, (512, 512)),
    ],
)
def test_map_has_the_proportions_of_the_original_and_at_most_512_pixels(width_px: int, height_px: int, size: tuple[int, int]) -> None:
    assert draw(np.full((7, 7), 0.5), width_px, height_px).shape == (size[1], size[0], 4)


def test_nothing_seen_is_fully_transparent_and_much_seen_stays_translucent() -> None:
    assert not draw(np.zeros((7, 7)))[:, :, 3].any()
    assert set(np.unique(draw(np.ones((7, 7)))[:, :, 3])) == {128}


def test_more_evidence_is_more_opaque_and_redder() -> None:
    drawn = [draw(np.full((7, 7), strength))[35, 35].astype(int) for strength in (0.1, 0.4, 0.7, 1.0)]

    opacities, greens = [pixel[3] for pixel in drawn], [pixel[1] for pixel in drawn]
    assert opacities == sorted(opacities)
    assert greens == sorted(greens, reverse=True)
    assert len(set(opacities)) == 4


def test_evidence_shows_where_it_is() -> None:
    cells = np.zeros((7, 7))
    cells[1, 5] = 1.0

    opacity = draw(cells, 140, 140)[:, :, 3]

    y, x = np.unravel_index(opacity.argmax(), opacity.shape)
    assert abs(int(y) - 30) <= 4
    assert abs(int(x) - 110) <= 4
    assert not opacity[80:, :60].any()


@pytest.mark.parametrize(
    ("offset", "at"), [((0.0, 0.0), (30, 110)), ((0.5, 0.0), (40, 110)), ((0.0, -0.5), (30, 100)), ((0.5, 0.5), (40, 120))]
)
def test_evidence_is_drawn_where_its_cell_looks(offset: tuple[float, float], at: tuple[int, int]) -> None:
    cells = np.zeros((7, 7))
    cells[1, 5] = 1.0

    with Image.open(io.BytesIO(heatmap.render(cells, 140, 140, offset))) as image:
        opacity = np.asarray(image)[:, :, 3]

    y, x = np.unravel_index(opacity.argmax(), opacity.shape)
    assert abs(int(y) - at[0]) <= 4
    assert abs(int(x) - at[1]) <= 4


def test_evenly_spread_evidence_stays_even_up_to_the_edges_wherever_the_cells_look() -> None:
    with Image.open(io.BytesIO(heatmap.render(np.ones((7, 7)), 140, 140, (0.5, -0.5)))) as image:
        assert set(np.unique(np.asarray(image)[:, :, 3])) == {128}


def test_answer_holds_the_map_in_the_proportions_of_the_picture(classifier: Classifier) -> None:
    image = encode(phantom.chest(1, 300)[:, :200], "PNG")

    answer = classifier.classify(image, classifier.operating_point(None), "id", images.MAX_PIXELS, explain=True)

    assert answer.explanation is not None
    assert answer.explanation.method == heatmap.METHOD
    with Image.open(io.BytesIO(base64.b64decode(answer.explanation.heatmap_png_b64))) as drawn:
        assert drawn.size == (200, 300)
