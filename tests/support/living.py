"""A store with models in it, and services that live on it."""

import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from core import models, promotions
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import ModelIdentity, Promotion, Request
from core.store import Store, open_store
from tests.support import packages
from tests.support.requests import get, read

TOKEN = "a-token-of-the-tests"
LIMIT_S = 60.0


def open_folder(folder: Path) -> Store:
    """Return the store of a folder."""
    return open_store(folder.as_uri())


def package(parent: Path, version: str, temperature: float) -> Path:
    """Return a sound package that answers otherwise than the baked one: the temperature moves every probability."""
    return packages.variant(parent / version, lambda manifest: manifest.update(version=version, temperature=temperature))


def push(store: Store, parent: Path, version: str, temperature: float) -> ModelIdentity:
    """Make such a package and bring it into the store."""
    return models.push(store, package(parent, version, temperature))


def promote(store: Store, identity: ModelIdentity) -> Promotion:
    """Promote without a look at the package, as only a test would."""
    return promotions.promote(store, identity, "test", "because")


def serve(folder: Path, **settings: str) -> Service:
    """Return a service on the store in a folder that looks for promotions as often as it may."""
    environ = {"PNEUMONIA_STORE": folder.as_uri(), "PNEUMONIA_REFRESH_S": "1", "PNEUMONIA_ADMIN_TOKEN": TOKEN}
    return bootstrap({**environ, **{f"PNEUMONIA_{name.upper()}": value for name, value in settings.items()}})


def status(service: Service) -> Mapping[str, object]:
    """Return what `/status` says; asking is a request, too, and may begin a look."""
    return read(service.handle(get("/status")))


def version(service: Service) -> object:
    """Return the version that serves."""
    model = status(service)["model"]
    return model["version"] if isinstance(model, dict) else None


def until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.02)


def damage_version(store: Store, source: Path, version: str) -> ModelIdentity:
    """Put a package into the store under its version that loads and then fails its self-test; return what a promotion would name."""
    broken = packages.copy(source, version)
    packages.edit(broken, "manifest.json", lambda manifest: manifest.update(version=version))
    packages.poison(broken)
    for path in broken.iterdir():
        store.put(f"models/{version}/{path.name}", path.read_bytes())
    return models.manifest(store, version)[1]


def activation(version: str, headers: Mapping[str, str] | None = None, reason: str | None = None) -> Request:
    """Return a request to promote a version; with the token unless other headers are given."""
    given = {"x-admin-token": TOKEN} if headers is None else headers
    query = {} if reason is None else {"reason": reason}
    return Request(method="POST", path=f"/models/{version}/activate", query=query, headers=given, body=io.BytesIO())
