"""The list of promotions: nothing is changed, nothing is lost, and everybody who promotes at once gets a place in one order."""

import multiprocessing
from pathlib import Path

import pytest

from core import errors, promotions
from core.contract import ModelIdentity
from core.store import Store, open_store

PROCESSES, EACH = 8, 5


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


def model(version: str) -> ModelIdentity:
    return ModelIdentity(name="m", version=version, sha256="0" * 64)


def promote_some(url: str, worker: int, gate: "multiprocessing.synchronize.Barrier") -> None:
    store = open_store(url)
    gate.wait(timeout=60)
    for number in range(EACH):
        promotions.promote(store, model(f"{worker}.{number}"), f"job {worker}", "because")


def test_without_promotions_there_is_none(store: Store) -> None:
    assert promotions.latest(store) is None
    assert promotions.history(store, 10) == []


def test_entries_count_up_and_each_names_the_version_before(store: Store) -> None:
    for version in ("1.1", "1.2", "1.1"):
        promotions.promote(store, model(version), promotions.BY_HAND, f"try {version}", before="1.0")

    found = promotions.history(store, 10)

    assert [(entry.number, entry.version, entry.previous, entry.reason) for entry in found] == [
        (3, "1.1", "1.2", "try 1.1"),
        (2, "1.2", "1.1", "try 1.2"),
        (1, "1.1", "1.0", "try 1.1"),
    ]
    assert promotions.latest(store) == found[0]
    assert promotions.history(store, 2) == found[:2]


def test_processes_that_promote_at_once_get_one_order_without_gaps(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(PROCESSES)
    workers = [context.Process(target=promote_some, args=(tmp_path.as_uri(), worker, gate)) for worker in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)

    found = promotions.history(open_store(tmp_path.as_uri()), 1000)[::-1]

    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert [entry.number for entry in found] == list(range(1, PROCESSES * EACH + 1))
    assert len({entry.version for entry in found}) == PROCESSES * EACH
    assert [entry.previous for entry in found] == [None, *(entry.version for entry in found[:-1])]
    for worker_number in range(PROCESSES):  # each worker's own come in the order in which it made them
        own = [entry.version for entry in found if entry.source == f"job {worker_number}"]
        assert own == [f"{worker_number}.{number}" for number in range(EACH)]


class Forgetful(Store):
    """A store whose first acknowledgement is lost, so that the try after it hears that the object exists."""

    def create(self, key: str, data: bytes) -> bool:
        super().create(key, data)
        return False


def test_own_entry_is_recognised_when_its_acknowledgement_was_lost(tmp_path: Path) -> None:
    from obstore.store import LocalStore

    store = Forgetful(LocalStore(tmp_path), tmp_path)

    promotions.promote(store, model("2"), "job 1", "because")

    assert [entry.version for entry in promotions.history(store, 10)] == ["2"]


def test_what_is_no_entry_is_passed_over_and_a_damaged_one_is_named(store: Store) -> None:
    promotions.promote(store, model("2"), "job 1", "because")
    store.put("promotions/notes.txt", b"x")
    store.put("promotions/9.json", b"x")
    found = promotions.latest(store)
    assert found is not None
    assert found.version == "2"

    store.put("promotions/00000007.json", b"{")

    with pytest.raises(errors.ModelUnavailable, match=r"promotions/00000007\.json"):
        promotions.latest(store)


def test_entry_of_a_later_release_is_read(store: Store) -> None:
    entry = promotions.promote(store, model("2"), "job 1", "because")
    data = store.get("promotions/00000001.json")
    assert data is not None

    store.put("promotions/00000001.json", data[:-1] + b',"mood":"good"}')

    assert promotions.latest(store) == entry
