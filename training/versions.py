"""Which version follows another: of three numbers the last or the middle one rises."""

import re
from collections.abc import Sequence
from typing import Final

FIRST: Final = "0.1.0"
_NUMBERS: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def patch_after(version: str) -> str:
    """Return the version of the same network decided otherwise: 1.2.3 gives 1.2.4, anything else gets "-calibrated"."""
    numbers = _NUMBERS.fullmatch(version)
    return f"{numbers[1]}.{numbers[2]}.{int(numbers[3]) + 1}" if numbers else f"{version[:89]}-calibrated"


def minor_after(known: Sequence[str]) -> str | None:
    """Return the version of another network, after all that are known: 1.2.3 gives 1.3.0; None where none has three numbers."""
    numbers = [(int(found[1]), int(found[2])) for version in known if (found := _NUMBERS.fullmatch(version))]
    if not numbers:
        return None
    major, minor = max(numbers)
    return f"{major}.{minor + 1}.0"
