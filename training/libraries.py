"""Versions of what is installed: they decide what a network answers, and which kept answers still hold.

Below all that needs Keras: called by `origin`, `evaluate` and `kept`.
"""

from importlib import metadata
from typing import Final

NOT_INSTALLED: Final = "not installed"


def version(library: str) -> str:
    """Return the version of a distribution, or NOT_INSTALLED: TensorFlow need not be there where another backend trains."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
