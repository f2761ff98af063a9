"""The swap itself: requests wait for nothing, keep what they began with, and a store that comes and goes is told and forgotten."""

import gc
import threading
import weakref
from pathlib import Path

import pytest

from core import active as active_module
from core import errors, models, phantom
from core.active import Active
from core.api import Service
from core.classifier import Classifier
from core.endpoints import Endpoints
from core.metrics import Metrics
from core.settings import Settings
from core.store import Store
from tests.support import living, packages
from tests.support.requests import get, post, read

BAKED = packages.version()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound package, version 2.0.0."""
    return living.package(tmp_path_factory.mktemp("made"), "2.0.0", 2.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return living.open_folder(tmp_path / "store")


def error_code(service: Service) -> object:
    error = living.status(service)["last_reload_error"]
    return error["code"] if isinstance(error, dict) else None


class Gate(Store):
    """A store that does not answer until it is let."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._backend, store._folder)
        self.open = threading.Event()
        self.open.set()
        self.asked = 0
        self.broken = False

    def children(self, prefix: str) -> list[str]:
        self.asked += 1
        assert self.open.wait(60)
        if self.broken:
            raise errors.StoreUnavailable("Expected the store to answer. Received: nothing.")
        return super().children(prefix)


@pytest.fixture
def gate(store: Store) -> Gate:
    return Gate(store)


def served(gate: Gate, refresh_s: int = 0) -> tuple[Service, Active]:
    settings, metrics = Settings(refresh_s=refresh_s, interpreters=2), Metrics()
    active = Active(settings, gate, metrics)
    active.start()
    return Service(active, metrics, Endpoints(settings, active, metrics, gate)), active


def test_requests_do_not_wait_for_a_store_that_hangs(gate: Gate, store: Store, made: Path) -> None:
    service, active = served(gate)
    living.promote(store, models.push(store, made))
    gate.open.clear()

    asked = gate.asked
    answers = [read(service.handle(post(phantom.jpeg())))["model"]["version"] for _ in range(20)]

    assert answers == [BAKED] * 20
    assert gate.asked == asked + 1  # one look at a time, however long it takes
    gate.open.set()
    living.until(lambda: living.version(service) == "2.0.0")
    assert active.last_error is None


def test_start_does_not_wait_for_ever_for_a_store_that_hangs(gate: Gate, store: Store, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living.promote(store, models.push(store, made))
    monkeypatch.setattr(active_module, "START_LIMIT_S", 0.05)
    gate.open.clear()

    service, _ = served(gate, refresh_s=3600)

    assert living.version(service) == BAKED
    assert error_code(service) == "store_unavailable"
    gate.open.set()
    living.until(lambda: living.version(service) == "2.0.0" and error_code(service) is None)


def test_looks_are_no_more_frequent_than_the_setting_says(gate: Gate) -> None:
    service, _ = served(gate, refresh_s=3600)
    asked = gate.asked

    for _ in range(50):
        service.handle(get("/health/live"))

    assert gate.asked == asked == 1


def test_store_that_goes_down_and_comes_back_is_told_and_forgotten(gate: Gate, store: Store, made: Path) -> None:
    service, _ = served(gate)
    gate.broken = True
    living.until(lambda: error_code(service) == "store_unavailable")
    assert service.handle(post(phantom.jpeg())).status == 200

    gate.broken = False
    living.promote(store, models.push(store, made))

    living.until(lambda: living.version(service) == "2.0.0")
    living.until(lambda: error_code(service) is None)


def test_request_keeps_its_model_to_the_end_and_the_model_goes_with_it(gate: Gate, store: Store, made: Path) -> None:
    service, active = served(gate, refresh_s=3600)
    held = active.serving.model
    assert isinstance(held, Classifier)
    gone = weakref.ref(held)
    models.push(store, made)

    active.activate("2.0.0", "because")

    prediction = held.classify(phantom.jpeg(), held.operating_point(None), "id", 10**7)
    assert prediction.model.version == BAKED
    assert read(service.handle(post(phantom.jpeg())))["model"]["version"] == "2.0.0"
    del held, prediction
    gc.collect()
    assert gone() is None


def test_earlier_promotion_that_loads_late_does_not_displace_a_later_one(gate: Gate, store: Store, made: Path) -> None:
    service, active = served(gate, refresh_s=3600)
    first = active.serving
    models.push(store, made)
    active.activate("2.0.0", "because")

    active._swap(first)

    assert living.version(service) == "2.0.0"
