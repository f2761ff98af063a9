"""Figures that lie in a package, and with it in a repository."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from training.svg import svg


def line() -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.plot(np.linspace(0, 1, 500), np.linspace(0, 1, 500) ** 2)
    axes.set_title("0.123456 < 1")
    return figure


def test_the_same_figure_gives_the_same_bytes_and_no_date() -> None:
    assert svg(line(), "a line") == svg(line(), "a line")
    assert b"<dc:date>" not in svg(line(), "a line")


def test_text_stays_text_as_it_was_written() -> None:
    drawn = svg(line(), "a <line>").decode()
    assert "0.123456 &lt; 1</text>" in drawn
    assert "<title>a &lt;line&gt;</title>" in drawn
    assert "sans-serif" in drawn


def test_ground_is_white_so_that_a_dark_page_shows_it() -> None:
    assert b"fill: #ffffff" in svg(line(), "a line")


def test_a_raster_image_is_refused() -> None:
    figure = Figure()
    figure.subplots().imshow(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="raster"):
        svg(figure, "a picture")
