"""What is kept of an answer, that nothing leads to a patient, and that no request waits for it."""

import threading
from pathlib import Path

import msgspec
import pytest

from core import errors, package, phantom, records
from core.classifier import Classifier
from core.contract import Prediction
from core.records import Record, Recorder
from core.rejections import rejected
from core.store import Store
from tests.support import living, packages
from tests.support.pictures import encode
from tests.support.requests import post, read


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return living.open_folder(tmp_path)


@pytest.fixture(scope="module")
def prediction(classifier: Classifier) -> Prediction:
    return classifier.classify(phantom.jpeg(), classifier.operating_point(None), "request-7", 10**7)


def kept(store: Store) -> list[Record]:
    return [record for day in records.days(store) for record in records.read(store, day) if record is not None]


def test_nothing_is_kept_unless_it_was_asked_for(tmp_path: Path, store: Store) -> None:
    service = living.serve(tmp_path)
    for _ in range(120):
        service.handle(post(phantom.jpeg()))

    assert list(store.keys("predictions/")) == []


def test_answers_are_kept_in_batches_by_day(tmp_path: Path, store: Store) -> None:
    service = living.serve(tmp_path, record_predictions="on")
    answers = [read(service.handle(post(phantom.jpeg()))) for _ in range(100)]

    living.until(lambda: len(kept(store)) == 100)

    [key] = store.keys("predictions/")
    assert key.endswith("-000000.jsonl")
    assert {record.probability for record in kept(store)} == {answers[0]["pneumonia"]["probability"]}
    assert {record.version for record in kept(store)} == {answers[0]["model"]["version"]}


def test_record_holds_nothing_that_leads_to_a_patient(store: Store, prediction: Prediction) -> None:
    recorder = Recorder(store)
    recorder.add(prediction)
    recorder.flush()

    [key] = store.keys("predictions/")
    line = store.get(key) or b""
    assert set(msgspec.json.decode(line)) == {
        "hour",
        "model",
        "version",
        "probability",
        "decision",
        "operating_point",
        "most_probable",
        "guard",
        "guard_distance",
        "format",
    }
    assert msgspec.json.decode(line)["hour"].endswith(":00Z")
    assert b"request-7" not in line


class Down(Store):
    """A store that does not answer, or answers late."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._backend, store._folder)
        self.down = True
        self.open = threading.Event()

    def put(self, key: str, data: bytes) -> None:
        assert self.open.wait(60)
        if self.down:
            raise errors.StoreUnavailable("Expected the store to answer. Received: nothing.")
        super().put(key, data)


def test_records_wait_for_a_store_that_is_down_and_requests_do_not(store: Store, prediction: Prediction) -> None:
    down = Down(store)
    recorder = Recorder(down)
    for _ in range(250):
        recorder.add(prediction)  # returns although the writing thread hangs

    down.open.set()
    recorder.flush()
    assert kept(store) == []

    down.down = False
    recorder.flush()
    assert len(kept(store)) == 250


def test_what_waits_has_a_limit_and_what_goes_is_counted(store: Store, prediction: Prediction) -> None:
    down = Down(store)
    recorder = Recorder(down)
    for _ in range(records._MOST_WAITING + 300):
        recorder.add(prediction)

    down.open.set()
    down.down = False
    recorder.flush()
    living.until(lambda: len(kept(store)) + recorder.dropped == records._MOST_WAITING + 300)


def test_damaged_line_is_told_apart(store: Store, prediction: Prediction) -> None:
    recorder = Recorder(store)
    recorder.add(prediction)
    recorder.flush()
    store.put("predictions/2026-01-01/x-000000.jsonl", b'{"hour":\n\xff\n')

    assert list(records.read(store, "2026-01-01")) == [None, None]
    assert len(kept(store)) == 1


def test_rejected_picture_is_kept_with_its_distance_and_without_a_probability(store: Store, tmp_path: Path) -> None:
    classifier = package.load(packages.guarded(tmp_path))
    refused = classifier.classify(encode(packages.noise(), "PNG"), classifier.operating_point(None), "request-8", 10**7)
    recorder = Recorder(store)

    recorder.add(rejected(refused))
    recorder.flush()

    [record] = kept(store)
    assert (record.probability, record.decision, record.guard) == (None, "rejected", "refuse")
    assert record.guard_distance == refused.guard.distance
