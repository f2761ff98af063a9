"""Every door in every deployment, started when a test first asks for it and ended with the run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.deployments import BROKEN_VERSION, DEPLOYMENTS, seed
from tests.contract.doors import CoreDoor, Door, azure, google
from tests.support import living, packages

Open = Callable[[str, str], Door]
DOORS = ("core", "google", "azure")


@pytest.fixture(scope="session")
def open_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Give a function from the names of a door and a deployment to that door."""
    store = tmp_path_factory.mktemp("store")
    living.damage_version(living.open_folder(store), tmp_path_factory.mktemp("broken"), BROKEN_VERSION)
    bare = packages.copy(tmp_path_factory.mktemp("bare"))
    guarded = packages.guarded(tmp_path_factory.mktemp("guarded"))
    doors: dict[tuple[str, str], Door] = {}
    with ExitStack() as stack:

        def open_once(door: str, deployment: str) -> Door:
            if (door, deployment) not in doors:
                folder = tmp_path_factory.mktemp("store")
                seed(folder, deployment)
                places = {"folder": folder.as_uri(), "store": store.as_uri(), "bare": str(bare), "guarded": str(guarded)}
                environ = {name: value.format_map(places) for name, value in DEPLOYMENTS[deployment].items()}
                if door == "core":
                    doors[door, deployment] = CoreDoor(environ)
                else:
                    doors[door, deployment] = stack.enter_context((google if door == "google" else azure)(environ))
            return doors[door, deployment]

        yield open_once
