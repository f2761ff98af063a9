"""Promotions, reload and jobs on every kind of store: two instances, one store."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from core import models, promotions
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Response
from core.store import Store, open_store
from tests.support import living
from tests.support.requests import get, read

VERSIONS = {"2.0.0": 2.0, "3.0.0": 3.0}
ROUNDS = 5
Result = TypeVar("Result")


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.fixture
def instances(url: str) -> tuple[Service, Service]:
    environ = {"PNEUMONIA_STORE": url, "PNEUMONIA_REFRESH_S": "1", "PNEUMONIA_ADMIN_TOKEN": living.TOKEN}
    return bootstrap(environ), bootstrap(environ)


def serves(service: Service, version: str) -> bool:
    return living.version(service) == version


def complains(service: Service) -> bool:
    return living.status(service)["last_reload_error"] is not None


def at_once(*works: Callable[[], Result]) -> list[Result]:
    """Do several things, all beginning at the same moment."""
    barrier = threading.Barrier(len(works))

    def work(number: int) -> Result:
        barrier.wait()
        return works[number]()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, range(len(works))))


def test_both_instances_serve_what_one_of_them_promoted(instances: tuple[Service, Service], store: Store, tmp_path: Path) -> None:
    one, other = instances
    for version, temperature in VERSIONS.items():
        living.push(store, tmp_path, version, temperature)
        assert one.handle(living.activation(version)).status == 200
        assert living.version(one) == version
        living.until(partial(serves, other, version))
        assert living.status(other)["last_reload_error"] is None


def test_promotions_at_once_get_one_order_and_both_instances_end_with_the_last(
    instances: tuple[Service, Service], store: Store, tmp_path: Path
) -> None:
    for version, temperature in VERSIONS.items():
        living.push(store, tmp_path, version, temperature)
    one, other = instances
    first, second = VERSIONS
    for round_number in range(ROUNDS):
        if round_number % 2:
            first, second = second, first
        answers = at_once(partial(one.handle, living.activation(first)), partial(other.handle, living.activation(second)))
        assert [answer.status for answer in answers] == [200, 200]

    entries = promotions.history(store, 1000)[::-1]
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.previous for entry in entries[1:]] == [entry.version for entry in entries[:-1]]
    assert len(entries) >= ROUNDS
    living.until(lambda: {living.version(one), living.version(other)} == {entries[-1].version})


def test_one_of_two_retrainings_asked_for_at_once_is_accepted(instances: tuple[Service, Service], store: Store) -> None:
    def ask(service: Service) -> Response:
        return service.handle(msgspec.structs.replace(get("/retrain", {"x-admin-token": living.TOKEN}), method="POST"))

    for statuses in ([202, 409], [409, 409]):
        assert sorted(answer.status for answer in at_once(*(partial(ask, service) for service in instances))) == statuses
    assert store.children("jobs/") == ["00000001"]
    assert read(instances[1].handle(get("/status")))["running_job"] == "00000001"


def test_version_that_is_damaged_in_the_store_never_serves(instances: tuple[Service, Service], store: Store, tmp_path: Path) -> None:
    living.push(store, tmp_path, "2.0.0", 2.0)
    assert instances[0].handle(living.activation("2.0.0")).status == 200
    living.until(lambda: living.version(instances[1]) == "2.0.0")
    living.promote(store, living.damage_version(store, tmp_path / "broken", "6.6.6"))

    for service in instances:
        living.until(partial(complains, service))
        assert living.version(service) == "2.0.0"
    assert "6.6.6" in models.versions(store)
