"""The model that serves: a promoted one comes in behind the requests, and nothing that is broken ever takes its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core import models, phantom
from core.api import Service
from core.contract import ModelIdentity
from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE
from core.store import Store
from tests.support import living, packages
from tests.support.requests import get, post, read

BAKED = packages.version()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound packages, made once: each test pushes them into a store of its own."""
    folder = tmp_path_factory.mktemp("shelf")
    living.package(folder, "2.0.0", 2.0)
    living.package(folder, "3.0.0", 3.0)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Store:
    return living.open_folder(folder)


def pushed(store: Store, shelf: Path, version: str) -> ModelIdentity:
    return models.push(store, shelf / version)


def error_code(service: Service) -> object:
    error = living.status(service)["last_reload_error"]
    return error["code"] if isinstance(error, dict) else None


def test_without_promotions_the_installed_model_serves(folder: Path) -> None:
    service = living.serve(folder)

    status = living.status(service)

    assert living.version(service) == BAKED
    assert (status["promotion"], status["last_reload_error"]) == (None, None)
    assert str(status["model_since"]).endswith("Z")


def test_start_takes_the_promoted_model(folder: Path, store: Store, shelf: Path) -> None:
    promotion = living.promote(store, pushed(store, shelf, "2.0.0"))

    service = living.serve(folder)

    assert living.version(service) == "2.0.0"
    assert living.status(service)["promotion"] == {name: getattr(promotion, name) for name in promotion.__struct_fields__}
    assert read(service.handle(post(phantom.jpeg())))["model"]["version"] == "2.0.0"


def test_promoted_model_serves_even_where_none_is_installed(folder: Path, store: Store, shelf: Path) -> None:
    living.promote(store, pushed(store, shelf, "2.0.0"))

    assert living.serve(folder, model="nowhere").handle(get("/health/ready")).status == 200


def test_request_begins_the_look_that_brings_a_new_model(folder: Path, store: Store, shelf: Path) -> None:
    service = living.serve(folder)
    before = read(service.handle(post(phantom.jpeg())))

    living.promote(store, pushed(store, shelf, "2.0.0"))
    living.until(lambda: living.version(service) == "2.0.0")

    after = read(service.handle(post(phantom.jpeg())))
    assert before["model"]["version"] == BAKED
    assert after["model"]["version"] == "2.0.0"
    assert after["pneumonia"]["probability"] != before["pneumonia"]["probability"]
    assert read(service.handle(get("/model")))["model"]["version"] == "2.0.0"
    text = service.handle(get("/metrics")).body.decode()
    assert 'pneumonia_model_info{name="pneumonia-mobilenetv2",version="2.0.0"} 1.0' in text


def test_two_instances_on_one_store_both_follow(folder: Path, store: Store, shelf: Path) -> None:
    services = [living.serve(folder) for _ in range(2)]

    for version in ("2.0.0", "3.0.0"):
        living.promote(store, pushed(store, shelf, version))
        living.until(lambda wanted=version: all(living.version(service) == wanted for service in services))  # type: ignore[misc]


def alter(name: str) -> Callable[[Store], object]:
    return lambda store: store.put(f"models/2.0.0/{name}", b"altered")


def remove(name: str) -> Callable[[Store], object]:
    def unlink(store: Store) -> None:
        assert store._folder is not None
        (store._folder / "models" / "2.0.0" / name).unlink()

    return unlink


DAMAGES: dict[str, Callable[[Store], object]] = {
    **{f"{name} missing": remove(name) for name in (MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE)},
    **{f"{name} altered": alter(name) for name in (MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE)},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_package_never_serves_until_it_is_mended(
    folder: Path, store: Store, shelf: Path, damage: Callable[[Store], object]
) -> None:
    service = living.serve(folder)
    identity = pushed(store, shelf, "2.0.0")
    damage(store)
    living.promote(store, identity)

    living.until(lambda: error_code(service) == "model_unavailable")
    assert living.version(service) == BAKED
    assert living.version(living.serve(folder)) == BAKED
    assert service.handle(get("/health/ready")).status == 200
    assert 'pneumonia_reload_errors_total{code="model_unavailable"}' in service.handle(get("/metrics")).body.decode()

    if (folder / "models" / "2.0.0" / MANIFEST_FILE).is_file():
        store.put(f"models/2.0.0/{MANIFEST_FILE}", (shelf / "2.0.0" / packages.NAME / MANIFEST_FILE).read_bytes())
    models.push(store, shelf / "2.0.0")
    living.until(lambda: living.version(service) == "2.0.0")
    living.until(lambda: error_code(service) is None)


def test_package_that_fails_its_self_test_never_serves(folder: Path, store: Store, tmp_path: Path) -> None:
    service = living.serve(folder)
    living.promote(store, living.damage_version(store, tmp_path, "6.6.6"))

    living.until(lambda: error_code(service) == "model_unavailable")

    assert "self-test" in str(living.status(service)["last_reload_error"])
    assert living.version(service) == BAKED


def test_version_whose_content_is_not_what_was_promoted_never_serves(folder: Path, store: Store, shelf: Path) -> None:
    service = living.serve(folder)
    living.promote(store, ModelIdentity(name="m", version=pushed(store, shelf, "2.0.0").version, sha256="f" * 64))

    living.until(lambda: error_code(service) == "model_unavailable")

    assert living.version(service) == BAKED


def test_promotion_of_what_serves_already_loads_nothing(folder: Path, store: Store) -> None:
    service = living.serve(folder)
    identity = models.push(store, packages.baked())
    (folder / "models" / BAKED / NETWORK_FILE).unlink()

    promotion = living.promote(store, identity)
    living.until(lambda: living.status(service)["promotion"] is not None)

    assert living.status(service)["promotion"]["number"] == promotion.number  # type: ignore[index]
    living.until(lambda: error_code(service) is None)


def test_store_that_cannot_be_opened_leaves_the_installed_model_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    service = living.serve(tmp_path / "file" / "below")

    assert living.version(service) == BAKED
    assert error_code(service) == "store_unavailable"
    assert read(service.handle(get("/models")))["code"] == "store_unavailable"
