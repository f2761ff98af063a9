"""Every door in every deployment, started when a test first asks for it and ended with the run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.cases import DEPLOYMENTS, SEEDS, STORE
from tests.contract.doors import CoreDoor, Door, azure, google

Open = Callable[[str, str], Door]
DOORS = ("core", "google", "azure")


@pytest.fixture(scope="session")
def open_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Give a function from the names of a door and a deployment to that door."""
    doors: dict[tuple[str, str], Door] = {}
    broken = tmp_path_factory.mktemp("broken")
    with ExitStack() as stack:

        def open_once(door: str, deployment: str) -> Door:
            if (door, deployment) not in doors:
                # A sentence about a broken store names it: one for all doors.
                store = broken if deployment == "broken-store" else tmp_path_factory.mktemp("store")
                for key, data in SEEDS.get(deployment, {}).items():
                    (store / key).parent.mkdir(parents=True, exist_ok=True)
                    (store / key).write_bytes(data)
                environ = {name: value.replace(STORE, store.as_uri()) for name, value in DEPLOYMENTS[deployment].items()}
                if door == "core":
                    doors[door, deployment] = CoreDoor(environ)
                else:
                    doors[door, deployment] = stack.enter_context((google if door == "google" else azure)(environ))
            return doors[door, deployment]

        yield open_once
