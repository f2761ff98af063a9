"""Shares of one as the terminal, cards and reports write them: by the rule of the page (`percent` in `core/static/page/dom.js`)."""

from decimal import ROUND_HALF_UP, Decimal


def percent(value: float, digits: int = 1, sign: str = "%") -> str:
    """Return a share in [0, 1] as "97.3%"; what is not all is never rounded to all, nor to nothing: ">99.9%", "<0.1%".

    Half of the decimal that is read is rounded up: 0.9605 is "96.1%", where Python's `.1%` says 96.0, since the double lies below it.
    """
    least = Decimal(1).scaleb(-digits)
    shown = Decimal(repr(float(value))).scaleb(2).quantize(least, ROUND_HALF_UP)
    if value > 0.0 and shown == 0:
        return f"<{least}{sign}"
    return f">{100 - least}{sign}" if value < 1.0 and shown == 100 else f"{shown}{sign}"
