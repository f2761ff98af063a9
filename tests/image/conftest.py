"""The engine, the base and the image, built once a run."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pytest

from core import phantom
from tests.image import bases, engines, servers
from tests.image.engines import Engine, Options, Running
from tests.image.servers import WAYS, Served
from tests.support.ports import free_port

SERVE_TAG = "localhost/pneumonia-functions:test"


class Image(NamedTuple):
    """An image and what built it."""

    engine: Engine
    tag: str
    base: str

    def running(self, options: Options) -> AbstractContextManager[Running]:
        """Prepare a container."""
        return self.engine.running(self.tag, options)

    @contextmanager
    def serving(self, way: str, **changes: Any) -> Iterator[tuple[Served, Running]]:
        """Serve from a container; `changes` are fields of `Options`."""
        port = free_port()
        options = WAYS[way].contained(port)._replace(**changes)
        with self.running(options) as container, servers.serving(container.command, port) as served:
            yield served, container


def say(text: str) -> None:
    """Print a figure past pytest's capture."""
    sys.__stdout__ and sys.__stdout__.write(f"\n{text}\n")


@pytest.fixture(scope="session")
def engine() -> Engine:
    found = engines.find()
    if found is None:
        pytest.skip("needs a Docker engine, or root with buildah and runc: apt-get install buildah runc mmdebstrap")
    return found


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    return bases.find(engine)


@pytest.fixture(scope="session")
def image(engine: Engine, base: str) -> Image:
    """The image that serves, built by the script of `make image`."""
    start_s = time.monotonic()
    engines.build(SERVE_TAG, "serve", engines.ROOT, base)
    say(f"{engine.name} built the image on {base} in {time.monotonic() - start_s:.0f} s")
    return Image(engine, SERVE_TAG, base)


@pytest.fixture(scope="session")
def picture() -> bytes:
    return phantom.jpeg()
