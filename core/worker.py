"""One worker's hold on a retraining job: claim it, tell how far it is, end it, and notice when somebody else has it.

A worker that was taken over loses its next event, and learns so that it must stop. Called by `training.retrain`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from core import errors, jobs
from core.living import RetrainOutcome
from core.store import Store

_BEAT_S: Final = 30.0  # between two events of a running job; one of three days has 8,640


class JobEnded(errors.PneumoniaError):
    """The job cannot be run again: it has ended."""

    code = "job_ended"


class JobTakenOver(errors.PneumoniaError):
    """Another worker has taken the job, or it was given up: this one must stop and change nothing more."""

    code = "job_taken_over"


class Worker:
    """One worker's hold on a job, from `claim` to `done` or `fail`; thread-safe."""

    def __init__(self, store: Store, job_id: str, name: str, events: int, stale_s: float, clock: jobs.Clock) -> None:
        self.job_id = job_id
        self._store, self._name, self._events, self._clock = store, name, events, clock
        self._beat_s = min(_BEAT_S, stale_s / 4.0)
        self._progress, self._last_at, self._lost, self._nonce = 0.0, clock(), False, jobs.nonce()
        self._lock = threading.Lock()

    def progress(self, share: float, force: bool = False) -> None:
        """Say how far the job is; an event is written at most every 30 seconds, unless `force` asks for one.

        Raises:
            JobTakenOver: this worker must stop.
            errors.StoreUnavailable: the store does not answer, where `force` asked for it; otherwise it may come back.
        """
        with self._lock:
            self._progress = max(self._progress, min(1.0, share))
            self._check()
            if force:
                self._write("progress", None)
            elif self._clock() - self._last_at >= self._beat_s:
                with suppress(errors.StoreUnavailable):
                    self._write("progress", None)

    def check(self) -> None:
        """Raise `JobTakenOver` where it is known that this worker must stop."""
        with self._lock:
            self._check()

    def done(self, outcome: RetrainOutcome) -> None:
        """End the job: promoted, or kept with the reasons. Raises as `progress` that is forced."""
        self._end("done", outcome)

    def fail(self, reason: str) -> None:
        """End the job with the reason why it could not be carried out. Raises as `progress` that is forced."""
        self._end("failed", RetrainOutcome(result="failed", reasons=(reason,)))

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Tell from a thread that the job is alive, while long steps give no sign."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(self._beat_s):
                try:
                    self.progress(0.0, force=False)
                except JobTakenOver:
                    return  # the next step finds out

        thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _end(self, kind: jobs.Kind, outcome: RetrainOutcome) -> None:
        with self._lock:
            self._check()
            self._write(kind, outcome)

    def _check(self) -> None:
        if self._lost:
            raise JobTakenOver(f"Expected to go on with job {self.job_id}. Received: another worker has it, or it was given up.")

    def _write(self, kind: jobs.Kind, outcome: RetrainOutcome | None) -> None:
        event = jobs.Event(
            kind=kind, at=self._clock(), worker=self._name, progress=round(self._progress, 4), outcome=outcome, nonce=self._nonce
        )
        while not jobs.append(self._store, self.job_id, self._events, event):
            there = jobs.event(self._store, self.job_id, self._events + 1)
            if there is None or there.nonce != self._nonce:
                self._lost = True
                self._check()
            self._events += 1  # our own event before this one, of which we were told that it could not be written
        self._events += 1
        self._last_at = event.at


def claim(store: Store, job_id: str, name: str, stale_s: float, take_over: bool = False, clock: jobs.Clock = time.time) -> Worker:
    """Take a job to run it: one that waits, or one whose worker is gone.

    Args:
        store: where it is.
        job_id: which.
        name: of the worker, for people.
        stale_s: seconds without an event after which a worker counts as gone.
        take_over: take it from a worker that does not count as gone yet.
        clock: seconds since 1970.

    Raises:
        errors.UnknownJob: there is none.
        errors.JobRunning: a worker has it.
        JobEnded: it is done, failed or given up.
        errors.StoreUnavailable: the store does not answer.
    """
    job = jobs.find(store, job_id)
    if job.ended:
        raise JobEnded(f"Expected a job that has not ended. Received: job {job.id}, which has; ask for a new one.")
    if job.last is not None and not job.stale(stale_s, clock()) and not take_over:
        raise jobs.running(job)
    event = jobs.Event(kind="claimed", at=clock(), worker=name, progress=job.last.progress if job.last else 0.0)
    if not jobs.append(store, job.id, job.events, event):
        raise jobs.running(job)
    return Worker(store, job.id, name, job.events + 1, stale_s, clock)
