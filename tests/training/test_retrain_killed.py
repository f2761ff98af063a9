"""A retraining that is killed again and again: what serves is never touched, nothing half is ever there, and in the end it is done."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core import errors, jobs, models, package, promotions, worker
from core.living import RetrainOutcome
from core.network import Network
from core.store import Store
from tests.support import nurseries
from tests.support.nurseries import Nursery
from tests.training import retraining
from training import assembly, convert, retrain, tracking
from training.names import BACTERIAL, NORMAL, VIRAL

pytestmark = pytest.mark.train

KILLS = 20
SEED = 4


def active(store: Store) -> str:
    latest = promotions.latest(store)
    assert latest is not None
    return latest.version


def check_whole(store: Store, folder: Path, checked: set[str]) -> None:
    """Every version that counts is whole and loads, the active one among them."""
    there = models.versions(store)
    assert active(store) in there
    for version in there:
        if version not in checked:
            models.fetch(store, version, folder / version)
            package.load(folder / version)
            checked.add(version)


def test_job_killed_at_random_moments_leaves_the_active_model_and_is_done_in_the_end(
    tmp_path: Path, champion: Path, nursery: Nursery
) -> None:
    chosen = random.Random(SEED)
    store = retraining.stocked(tmp_path / "store", champion, {NORMAL: 10, BACTERIAL: 5, VIRAL: 5})
    command = ["retrain", "--store", (tmp_path / "store").as_uri(), "--tracking", "none", "--take-over", "--job"]

    def run(job_id: str, seconds: float | None) -> int:
        words = [*command, job_id, "--work", str(tmp_path / "work" / job_id)]
        pid = nursery.start(*words, environ=nurseries.lenient({"RETRAIN_EPOCHS": "3"}), log=tmp_path / "log")
        timer = threading.Timer(seconds or 600.0, os.kill, (pid, signal.SIGKILL))
        timer.start()
        try:
            return nursery.ended()
        finally:
            timer.cancel()

    begin = time.monotonic()
    assert run(jobs.create(store, "r", 600).id, None) == 0
    whole_s = time.monotonic() - begin
    checked: set[str] = set()
    kills, finished, promoted = 0, 1, ["0.1.0", active(store)]
    while kills < KILLS:
        try:
            job_id = jobs.create(store, "r", 600).id
        except errors.JobRunning:
            job_id = jobs.recent(store)[0].id
        code = run(job_id, chosen.uniform(0.0, 1.0 * whole_s))
        kills += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
        check_whole(store, tmp_path / "fetched", checked)
        if active(store) != promoted[-1]:
            promoted.append(active(store))
        finished += code == 0
    last = jobs.recent(store)[0]
    if not last.ended:
        assert run(last.id, None) == 0
    check_whole(store, tmp_path / "fetched", checked)

    assert {job.last.kind for job in jobs.recent(store) if job.last} == {"done"}
    number = promotions.latest(store)
    assert number is not None
    # Every job was promoted once, however often it was killed, and one version belongs to each.
    assert number.number == 1 + len(jobs.recent(store)) == len(models.versions(store))
    assert finished >= 2
    assert "going on after epoch" in (tmp_path / "log").read_text()


def test_packaging_that_was_interrupted_asks_no_picture_again(tmp_path: Path, champion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = retraining.stocked(tmp_path / "store", champion, {NORMAL: 16, BACTERIAL: 8, VIRAL: 8})
    settings = retraining.lenient(tmp_path / "store", retrain_epochs=1)
    job, asked, run_all = jobs.create(store, "r", settings.job_stale_s), [0], convert.run_all

    def counted(network: Network, values: np.ndarray) -> np.ndarray:
        asked[-1] += len(values)
        return run_all(network, values)

    def go() -> RetrainOutcome:
        held = worker.claim(store, job.id, "w", settings.job_stale_s, take_over=True)
        return retrain.run(store, held, settings, tmp_path / "work", tracking.Journal(tracking.NOWHERE))

    monkeypatch.setattr(convert, "run_all", counted)
    with monkeypatch.context() as patch:
        patch.setattr(assembly, "with_draft_margin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            go()
    asked.append(0)
    assert go().result == "promoted"
    assert asked[0] > 10 * asked[1]  # what is held against Keras again is little


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
