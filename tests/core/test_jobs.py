"""Jobs in the store: one at a time, claimed by one worker, taken over when stale, whatever happens at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import errors, jobs, worker
from core.living import RetrainOutcome
from core.store import Store, open_store

STALE_S = 100.0
DONE = RetrainOutcome(result="kept", reasons=("not better",))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


@pytest.fixture
def clock() -> Clock:
    return Clock()


def state(store: Store, job_id: str, clock: Clock) -> str:
    return jobs.find(store, job_id).shown(STALE_S, clock()).state


def test_job_goes_from_queue_to_outcome(store: Store, clock: Clock) -> None:
    job = jobs.create(store, "r", STALE_S, clock)
    assert (job.id, state(store, job.id, clock)) == ("00000001", "queued")
    held = worker.claim(store, job.id, "w", STALE_S, clock=clock)
    assert state(store, job.id, clock) == "running"
    clock.now += 40
    held.progress(0.5)
    assert jobs.find(store, job.id).shown(STALE_S, clock()).progress == 0.5
    held.done(DONE)

    shown = jobs.find(store, "1").shown(STALE_S, clock())
    assert (shown.state, shown.progress, shown.outcome) == ("done", 1.0, DONE)
    assert (shown.requested, shown.started, shown.ended) == ("1970-01-12T13:46:40Z", "1970-01-12T13:46:40Z", "1970-01-12T13:47:20Z")
    assert jobs.create(store, "r", STALE_S, clock).id == "00000002"


def test_second_job_is_refused_and_names_the_first(store: Store, clock: Clock) -> None:
    jobs.create(store, "r", STALE_S, clock)

    with pytest.raises(errors.JobRunning, match="job 00000001"):
        jobs.create(store, "r", STALE_S, clock)


@pytest.mark.parametrize("attempt", range(10))
def test_of_many_simultaneous_requests_one_gets_a_job(store: Store, clock: Clock, attempt: int) -> None:
    def ask(_: int) -> str:
        barrier.wait()
        try:
            return jobs.create(store, "r", STALE_S, clock).id
        except errors.JobRunning:
            return "refused"

    barrier = threading.Barrier(8)
    if attempt % 2:
        jobs.create(store, "stale", STALE_S, clock)
        clock.now += STALE_S + 1
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert sorted(answers) == [f"0000000{1 + attempt % 2}", *["refused"] * 7]


def test_of_many_simultaneous_workers_one_gets_the_job(store: Store, clock: Clock) -> None:
    job = jobs.create(store, "r", STALE_S, clock)
    barrier = threading.Barrier(8)

    def take(number: int) -> bool:
        barrier.wait()
        try:
            worker.claim(store, job.id, f"w{number}", STALE_S, clock=clock)
        except errors.JobRunning:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


def test_progress_is_written_at_most_every_beat(store: Store, clock: Clock) -> None:
    held = worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "w", STALE_S, clock=clock)
    for step in range(1000):
        clock.now += 0.1
        held.progress(step / 1000)

    assert jobs.find(store, "1").events == 1 + 3  # a beat is a quarter of what counts as stale


def test_silent_job_is_interrupted_and_a_new_one_takes_its_place(store: Store, clock: Clock) -> None:
    held = worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "w", STALE_S, clock=clock)
    clock.now += STALE_S + 1
    assert state(store, "1", clock) == "interrupted"

    assert jobs.create(store, "r", STALE_S, clock).id == "00000002"
    assert state(store, "1", clock) == "abandoned"
    with pytest.raises(worker.JobTakenOver):
        held.progress(0.9)
    with pytest.raises(worker.JobTakenOver):
        held.check()
    with pytest.raises(worker.JobEnded):
        worker.claim(store, "1", "w", STALE_S, clock=clock)


@pytest.mark.parametrize("end", [lambda held: held.done(DONE), lambda held: held.fail("x"), lambda held: held.progress(1.0)])
def test_worker_that_was_taken_over_changes_nothing(store: Store, clock: Clock, end: Callable[[worker.Worker], None]) -> None:
    first = worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "first", STALE_S, clock=clock)
    with pytest.raises(errors.JobRunning):
        worker.claim(store, "1", "second", STALE_S, clock=clock)
    clock.now += STALE_S + 1
    second = worker.claim(store, "1", "second", STALE_S, clock=clock)

    with pytest.raises(worker.JobTakenOver):
        end(first)
    second.done(DONE)
    assert jobs.find(store, "1").shown(STALE_S, clock()).outcome == DONE


def test_job_can_be_taken_over_before_it_is_stale_where_that_is_asked_for(store: Store, clock: Clock) -> None:
    worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "first", STALE_S, clock=clock)

    worker.claim(store, "1", "second", STALE_S, take_over=True, clock=clock).done(DONE)


def test_job_that_waits_for_nobody_goes_stale_and_may_still_be_run(store: Store, clock: Clock) -> None:
    jobs.create(store, "r", STALE_S, clock)
    clock.now += STALE_S + 1
    assert state(store, "1", clock) == "interrupted"

    worker.claim(store, "1", "w", STALE_S, clock=clock)
    assert state(store, "1", clock) == "running"


def test_heart_beats_while_a_step_says_nothing(store: Store) -> None:
    held = worker.claim(store, jobs.create(store, "r", 0.2).id, "w", 0.2)
    heard = threading.Event()
    with held.beating():
        while not heard.wait(0.01):
            if jobs.find(store, "1").events >= 4:
                heard.set()

    assert jobs.find(store, "1").shown(0.2, 0.0).state == "running"


def test_refused_job_says_why_unless_a_worker_has_it(store: Store, clock: Clock) -> None:
    job = jobs.create(store, "r", STALE_S, clock)
    assert jobs.refuse(store, job, "nobody there", clock)
    shown = jobs.find(store, job.id).shown(STALE_S, clock())
    assert (shown.state, shown.outcome) == ("failed", RetrainOutcome(result="failed", reasons=("nobody there",)))

    other = jobs.create(store, "r", STALE_S, clock)
    worker.claim(store, other.id, "w", STALE_S, clock=clock)
    assert not jobs.refuse(store, other, "timed out", clock)
    assert state(store, other.id, clock) == "running"


@pytest.mark.parametrize("job_id", ["1", "00000002", "", "x", "-1", "1" * 30, "../1", "¹"])
def test_unknown_job_is_unknown(store: Store, job_id: str) -> None:
    with pytest.raises(errors.UnknownJob):
        jobs.find(store, job_id)


def test_list_is_short_and_newest_first(store: Store, clock: Clock) -> None:
    for _ in range(23):
        jobs.refuse(store, jobs.create(store, "r", STALE_S, clock), "x", clock)

    assert [job.id for job in jobs.recent(store)] == [f"{number:08d}" for number in range(23, 3, -1)]


class Forgetful(Store):
    """A store that writes, and then says that it could not."""

    fails = 0

    def create(self, key: str, data: bytes) -> bool:
        created = super().create(key, data)
        if self.fails:
            self.fails -= 1
            raise errors.StoreUnavailable("Expected the store to answer. Received: nothing.")
        return created


def test_worker_knows_its_own_event_whose_acknowledgement_was_lost(tmp_path: Path, clock: Clock) -> None:
    store = Forgetful(open_store(tmp_path.as_uri())._backend)
    held = worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "w", STALE_S, clock=clock)
    store.fails = 1
    clock.now += 40
    held.progress(0.5)  # an outage does not end the work
    held.done(DONE)
    assert jobs.find(store, "1").shown(STALE_S, clock()).outcome == DONE

    held = worker.claim(store, jobs.create(store, "r", STALE_S, clock).id, "w", STALE_S, clock=clock)
    store.fails = 1
    with pytest.raises(errors.StoreUnavailable):
        held.progress(0.5, force=True)
