"""Shares of one and how people read them: the same on the page, in the terminal and in reports."""

from typing import Final

IN_WORDS: Final = (
    (0.99999, ">99.9"),
    (1.0, "100.0"),
    (0.00001, "<0.1"),
    (0.0, "0.0"),
    (0.973, "97.3"),
    (0.9605, "96.1"),
    (0.5005, "50.1"),
    (0.1234, "12.3"),
)
"""The share, and the same in hundredths."""
