"""Retraining jobs in the store: one at a time, each a request and numbered events, of which the last one says how the job stands.

Every step is a put-if-absent, which exactly one caller wins: who takes the next job number, who takes the next event of a job. Called by
`core.endpoints`, and by `core.worker`, which runs a job.
"""

import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from core import errors
from core.living import RetrainJob, RetrainOutcome
from core.store import Store

_ROOT: Final = "jobs/"
_ID: Final = re.compile("0{0,12}[0-9]{1,8}")
_MOST_EVENTS: Final = 9999
SHOWN: Final = 20
"""How many jobs a list holds: each costs three reads."""

Clock = Callable[[], float]
Kind = Literal["claimed", "progress", "done", "failed", "abandoned"]
_ENDS: Final = ("done", "failed", "abandoned")


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, by which request, at seconds since 1970."""

    at: float
    request_id: str
    nonce: str = ""


def nonce() -> str:
    """Return what tells one writer's object from another's that says the same."""
    return secrets.token_hex(8)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a job, at seconds since 1970; `progress` is in [0, 1]."""

    kind: Kind
    at: float
    worker: str = ""
    progress: float = 0.0
    outcome: RetrainOutcome | None = None
    nonce: str = msgspec.field(default_factory=nonce)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the store has it: its request, how many events there are, the first that claimed it and the last."""

    id: str
    request: JobRequest
    events: int
    first: Event | None
    last: Event | None

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.last is not None and self.last.kind in _ENDS

    def stale(self, stale_s: float, now: float) -> bool:
        """Whether nothing was heard of it for so long that its worker counts as gone."""
        return not self.ended and now - (self.last or self.request).at > stale_s

    def shown(self, stale_s: float, now: float) -> RetrainJob:
        """Return the job as a caller sees it."""
        started = self.first if self.first is not None and self.first.kind == "claimed" else None
        return RetrainJob(
            id=self.id,
            state=self._state(stale_s, now),
            progress=1.0 if self.last and self.last.kind == "done" else self.last.progress if self.last else 0.0,
            requested=_date(self.request.at),
            started=_date(started.at) if started else None,
            heard=_date(self.last.at) if self.last else None,
            ended=_date(self.last.at) if self.last and self.ended else None,
            outcome=self.last.outcome if self.last else None,
        )

    def _state(self, stale_s: float, now: float) -> Literal["queued", "running", "interrupted", "done", "failed", "abandoned"]:
        if self.stale(stale_s, now):
            return "interrupted"
        if self.last is None:
            return "queued"
        return "running" if self.last.kind == "claimed" or self.last.kind == "progress" else self.last.kind


def create(store: Store, request_id: str, stale_s: float, clock: Clock = time.time) -> Job:
    """Ask for a new job; a stale one is given up for it.

    Raises:
        errors.JobRunning: one waits or runs.
        errors.StoreUnavailable: the store does not answer.
    """
    while True:
        latest, now = _latest(store), clock()
        if latest is not None and not latest.ended:
            given_up = Event(kind="abandoned", at=now, progress=latest.last.progress if latest.last else 0.0)
            if not latest.stale(stale_s, now) or not append(store, latest.id, latest.events, given_up):
                raise running(latest)
        job_id = f"{1 if latest is None else int(latest.id) + 1:08d}"
        request = JobRequest(at=now, request_id=request_id, nonce=nonce())
        if _create(store, f"{_ROOT}{job_id}/request.json", msgspec.json.encode(request)):
            return Job(id=job_id, request=request, events=0, first=None, last=None)


def refuse(store: Store, job: Job, reason: str, clock: Clock = time.time) -> bool:
    """End a job that nobody could be found for.

    Returns:
        Whether that is so: False where a worker has it all the same.
    """
    outcome = RetrainOutcome(result="failed", reasons=(reason,))
    return append(store, job.id, job.events, Event(kind="failed", at=clock(), outcome=outcome))


def find(store: Store, job_id: str) -> Job:
    """Return a job by its id, with or without its leading zeros.

    Raises:
        errors.UnknownJob: there is none.
        errors.StoreUnavailable: the store does not answer.
    """
    job = _read(store, f"{int(job_id):08d}") if _ID.fullmatch(job_id) else None
    if job is None:
        raise errors.UnknownJob("Expected the id of a job, as POST /retrain gave it. Received: one that no job has.")
    return job


def recent(store: Store) -> list[Job]:
    """Return the latest jobs, at most `SHOWN`, newest first."""
    found = (_read(store, job_id) for job_id in _ids(store)[: -SHOWN - 1 : -1])
    return [job for job in found if job is not None]


def summary(store: Store, stale_s: float, clock: Clock = time.time) -> tuple[str | None, str | None]:
    """Return when the last retraining was done with what came of it, and the id of the job that waits or runs; None for what there is not.

    Raises:
        errors.StoreUnavailable: the store does not answer.
    """
    running_id = None
    for job_id in _ids(store)[: -SHOWN - 1 : -1]:
        job = _read(store, job_id)
        if job is None:
            continue
        if not job.ended and not job.stale(stale_s, clock()):
            running_id = running_id or job.id
        if job.last is not None and job.last.kind == "done" and job.last.outcome is not None:
            return f"{_date(job.last.at)} {' '.join(filter(None, (job.last.outcome.result, job.last.outcome.version)))}", running_id
    return None, running_id


def _latest(store: Store) -> Job | None:
    ids = _ids(store)
    return _read(store, ids[-1]) if ids else None


def _ids(store: Store) -> list[str]:
    return [name for name in store.children(_ROOT) if len(name) == 8 and name.isdigit()]


def _read(store: Store, job_id: str) -> Job | None:
    asked = store.get(f"{_ROOT}{job_id}/request.json")
    if asked is None:
        return None
    events = max((int(name[:4]) for name in store.children(f"{_ROOT}{job_id}/events/") if name[:4].isdigit()), default=0)
    first = event(store, job_id, 1) if events else None
    last = event(store, job_id, events) if events > 1 else first
    return Job(id=job_id, request=msgspec.json.decode(asked, type=JobRequest), events=events, first=first, last=last)


def event(store: Store, job_id: str, number: int) -> Event | None:
    """Return an event of a job by its number, the first being 1."""
    data = store.get(_event_key(job_id, number))
    return None if data is None else msgspec.json.decode(data, type=Event)


def append(store: Store, job_id: str, events: int, event: Event) -> bool:
    """Write the event after `events` others; return whether nobody else did.

    Raises:
        errors.StoreUnavailable: the store does not answer, or the job has more events than any job should.
    """
    if events >= _MOST_EVENTS:
        raise errors.StoreUnavailable(f"Expected a job of at most {_MOST_EVENTS} events. Received: more for job {job_id}.")
    return _create(store, _event_key(job_id, events + 1), msgspec.json.encode(event))


def _create(store: Store, key: str, data: bytes) -> bool:
    """Put if absent. That it is there may be our own doing: a put whose acknowledgement was lost is tried again below us."""
    return store.create(key, data) or store.get(key) == data


def _event_key(job_id: str, number: int) -> str:
    return f"{_ROOT}{job_id}/events/{number:04d}.json"


def running(job: Job) -> errors.JobRunning:
    """Return the error that names the job in the way."""
    return errors.JobRunning(f"Expected no other job at the same time. Received: job {job.id} waits or runs; see /retrain/{job.id}.")


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
