"""Every kind of store that runs here: a folder, Azurite, moto's S3, and Google's API as its documents describe it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.support import emulators
from tests.support.emulators import Emulator

REMOTE: dict[str, Callable[[], AbstractContextManager[Emulator]]] = {
    "azurite": emulators.azurite,
    "s3": emulators.moto,
    "google": emulators.google,
}
KINDS = ("folder", *REMOTE)
# Where an emulator is asked, the library's own variables and no others are set.
VARIABLES = ("AZURE_", "AWS_", "GOOGLE_")


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[str], Emulator]]:
    """Give a function from the name of a kind to its emulator, which is started once."""
    started: dict[str, Emulator] = {}
    with ExitStack() as stack:

        def start(kind: str) -> Emulator:
            if kind not in started:
                started[kind] = stack.enter_context(REMOTE[kind]())
            return started[kind]

        yield start


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(VARIABLES)]:
        monkeypatch.delenv(name)


@pytest.fixture(params=KINDS)
def url(
    request: pytest.FixtureRequest,
    running: Callable[[str], Emulator],
    alone: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> str:
    """The URL of a store that no other test uses."""
    if request.param == "folder":
        return (tmp_path / "a store").as_uri()
    emulator = running(request.param)
    for name, value in emulator.environ.items():
        monkeypatch.setenv(name, value)
    return f"{emulator.url}/{tmp_path.name}"
