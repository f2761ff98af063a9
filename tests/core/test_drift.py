"""The index by its formula, by chance, and by what a person would call a shift."""

import math
import random

import pytest

from core import drift
from core.drift import Reference

FLAT = Reference((0.1,) * 10, 1000)


def test_bins_hold_their_upper_end() -> None:
    assert [drift.bin_of(value) for value in (0.0, 0.05, 0.1, 0.1000001, 0.3, 0.9, 0.95, 1.0)] == [0, 0, 0, 1, 2, 8, 9, 9]
    assert drift.count([0.0, 0.05, 1.0]) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert drift.shares([0.0, 0.05, 1.0, 1.0]) == [0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]


def test_equal_spreads_have_no_shift() -> None:
    assert drift.psi([100] * 10, FLAT) == pytest.approx(0.0, abs=1e-12)


def test_index_is_the_formula_where_half_a_picture_weighs_nothing() -> None:
    shares = (0.19, 0.01, *(0.1,) * 8)

    index = drift.psi([round(share * 10_000_000) for share in shares], Reference((0.1,) * 10, 10_000_000))

    assert index == pytest.approx(sum((now - 0.1) * math.log(now / 0.1) for now in shares), abs=1e-5)


def test_empty_bin_does_not_decide_alone() -> None:
    assert drift.verdict(drift.psi([10] * 9 + [0], Reference((0.11,) * 9 + (0.01,), 1000))) == "stable"


@pytest.mark.parametrize(
    ("index", "verdict"), [(0.0, "stable"), (0.0999, "stable"), (0.1, "moderate"), (0.25, "moderate"), (0.2501, "shifted")]
)
def test_verdict_is_the_rule_of_thumb(index: float, verdict: str) -> None:
    assert drift.verdict(index) == verdict


def test_turned_around_probabilities_are_a_shift() -> None:
    reference = Reference((0.4, *(0.025,) * 8, 0.4), 600)

    assert drift.verdict(drift.psi([80, 5, 5, 5, 5, 5, 5, 5, 5, 80], reference)) == "stable"
    assert drift.verdict(drift.psi([5, 5, 5, 5, 5, 5, 5, 5, 5, 155], reference)) == "shifted"


def test_nineteen_of_twenty_samples_without_a_shift_stay_below_what_chance_gives() -> None:
    drawn, rounds, pictures = random.Random(7), 2000, 300

    def sample(size: int) -> list[int]:
        return drift.count([drawn.random() for _ in range(size)])

    below = 0
    for _ in range(rounds):
        reference = Reference(tuple(count / 600 for count in sample(600)), 600)
        below += drift.psi(sample(pictures), reference) < drift.by_chance(pictures, reference)

    assert 0.93 < below / rounds < 0.97


GOOD = [0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, None),
        ({"score_histogram": GOOD}, Reference(tuple(GOOD), 1000)),
        ({"score_histogram": GOOD, "pictures": 624}, Reference(tuple(GOOD), 624)),
        ({"score_histogram": GOOD, "pictures": "many"}, Reference(tuple(GOOD), 1000)),
        ({"score_histogram": GOOD[1:]}, None),
        ({"score_histogram": [1.0] * 10}, None),
        ({"score_histogram": [2.0, -1.0, *[0.0] * 8]}, None),
        ({"score_histogram": ["a"] * 10}, None),
        ({"score_histogram": "x"}, None),
    ],
)
def test_reference_is_read_where_it_is_one(metrics: dict[str, object], expected: Reference | None) -> None:
    assert drift.reference(metrics) == expected
