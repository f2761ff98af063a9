from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.function_azure.launcher import AzureHost, azure_host

WWWROOT = Path(__file__).parent / "wwwroot"
KEY = "a-key-of-the-tests"


@pytest.fixture(scope="session")
def any_app() -> Iterator[AzureHost]:
    """The host with the tests' own app, which needs no key."""
    with azure_host("--script-root", str(WWWROOT)) as host:
        yield host


@pytest.fixture(scope="session")
def guarded_app() -> Iterator[AzureHost]:
    """The same with keys checked."""
    with azure_host("--script-root", str(WWWROOT), "--enable-auth", "--key", KEY) as host:
        yield host


@pytest.fixture(scope="session")
def door() -> Iterator[AzureHost]:
    """The project's own app."""
    with azure_host() as host:
        yield host
