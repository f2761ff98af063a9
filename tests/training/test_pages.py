"""Reports are one file that opens anywhere."""

import re

from matplotlib.figure import Figure

from training.pages import Picture, Section, Table, png, render


def figure() -> Figure:
    drawn = Figure()
    drawn.subplots().plot([0, 1], [0, 1])
    return drawn


def test_page_holds_everything_itself_and_asks_nothing_of_the_network() -> None:
    page = render("Title", "Lead.", [Section("One", ["A sentence."], [Table(["a"], [["1"]], "caption")], [Picture(figure(), "a line")])])

    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "<script" not in page
    assert 'alt="a line"' in page
    assert "Research use. Not a medical device." in page


def test_text_of_a_data_set_cannot_become_markup() -> None:
    page = render("<b>", "&", [Section("<i>", ["<script>alert(1)</script>"], [Table(["<u>"], [["<s>"]])])])

    assert "<script>" not in page
    assert "<s>" not in page


def test_figure_is_a_png() -> None:
    assert png(figure()).startswith(b"\x89PNG")
