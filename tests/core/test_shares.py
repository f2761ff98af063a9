"""Shares as people read them."""

import pytest

from core.shares import percent
from tests.support import shares


@pytest.mark.parametrize(("share", "words"), shares.IN_WORDS)
def test_share_is_told_as_on_the_page(share: float, words: str) -> None:
    assert percent(share) == f"{words}%"


def test_half_of_every_share_of_four_digits_is_rounded_up() -> None:
    for count in range(10, 9990):  # none that becomes nothing or all
        rounded = (count + 5) // 10
        assert percent(count / 10000) == f"{rounded // 10}.{rounded % 10}%"


@pytest.mark.parametrize(("share", "words"), [(0.145, "15%"), (0.004, "<1%"), (0.996, ">99%"), (1.0, "100%"), (0.0, "0%")])
def test_whole_hundredths_follow_the_same_rule(share: float, words: str) -> None:
    assert percent(share, 0) == words
