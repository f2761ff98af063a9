"""Figures as words: what the sentences of reports are made with, so that each says the same thing in the same way."""

from collections.abc import Sequence
from typing import Final

from core.manifest import Interval
from core.shares import percent

BEGAN: Final = "which began with"
"""Between a package that a training went on from and what that one began with, in a manifest's `initial_weights`."""


def count(number: int, noun: str) -> str:
    """Return "no picture", "1 picture", "5,216 pictures"."""
    return f"{'no' if number == 0 else format(number, ',')} {noun}{'' if number in (0, 1) else 's'}"


def share(value: float, digits: int = 1) -> str:
    """Return "25.7 %"."""
    return percent(value, digits, " %")


def verb(number: int, one: str, many: str) -> str:
    """Return the verb's form that fits a number."""
    return one if number in (0, 1) else many


def listing(items: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def interval(found: Interval) -> str:
    """Return a figure with its 95 % confidence interval."""
    return f"{found.value:.2f} (95 % CI {found.low:.2f} to {found.high:.2f})"


def separation(auroc: float) -> str:
    """Say how something of an AUROC of at least 0.5 tells the class. The grades are ours."""
    if auroc < 0.55:
        return "no better than a coin"
    if auroc < 0.7:
        return "weakly"
    return "clearly" if auroc < 0.8 else "strongly"
