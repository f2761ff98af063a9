"""Experiments in a real MLflow on SQLite: what is recorded, what is found again, and that nothing depends on it."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from training.tracking import FINE_TUNING, HEAD, Journal, Phases, Run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as Recorded

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"arch": "cnn", "augmentation": {"flip_share": 0.5}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def journal(folder: Path) -> Journal:
    return Journal(str(folder))


def reopen(folder: Path) -> "MlflowClient":
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def below(folder: Path, run: Run) -> "dict[str, Recorded]":
    """The runs below one, by name."""
    found = reopen(folder).search_runs(["1"], f"tags.`mlflow.parentRunId` = '{run.id}'")
    return {str(each.info.run_name): each for each in found}


def steps(folder: Path, run: "Recorded", name: str = "fit_loss") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in reopen(folder).get_metric_history(run.info.run_id, name)]


def write_history(work: Path, epochs: int) -> Path:
    lines = ["epoch,fit_loss,tune_loss", *(f"{epoch},{1 / epoch},{2 / epoch}" for epoch in range(1, epochs + 1))]
    (work / "history.csv").write_text("\n".join(lines) + "\n")
    return work / "history.csv"


def start(journal: Journal, work: Path) -> tuple[Run, Phases]:
    run = journal.run("a run", work, PARAMETERS, {"dataset_sha256": "d" * 64})
    return run, Phases(run, work / "history.csv", 1, PARAMETERS, {"commit": "c"})


def test_phases_are_runs_of_their_own_below_one(journal: Journal, folder: Path, tmp_path: Path) -> None:
    run, phases = start(journal, tmp_path)
    with phases.going():
        write_history(tmp_path, 1)
        phases.sync()
        write_history(tmp_path, 3)
        phases.sync()
    run.finish()

    parent = reopen(folder).get_run(str(run.id))
    assert parent.data.params == {"arch": "cnn", "augmentation.flip_share": "0.5"}
    assert parent.data.tags["dataset_sha256"] == "d" * 64
    phased = below(folder, run)
    assert set(phased) == {HEAD, FINE_TUNING}
    assert steps(folder, phased[HEAD]) == [(1, 1.0)]
    assert steps(folder, phased[FINE_TUNING]) == [(2, 1 / 2), (3, 1 / 3)]
    assert steps(folder, phased[FINE_TUNING], "tune_loss") == [(2, 1.0), (3, 2 / 3)]
    assert {each.info.status for each in (parent, *phased.values())} == {"FINISHED"}
    assert phased[HEAD].data.params == parent.data.params


def test_an_interrupted_run_goes_on_in_the_same_runs_and_records_no_epoch_twice(journal: Journal, folder: Path, tmp_path: Path) -> None:
    run, phases = start(journal, tmp_path)
    write_history(tmp_path, 2)
    with pytest.raises(KeyboardInterrupt), phases.going():
        raise KeyboardInterrupt
    assert reopen(folder).get_run(str(run.id)).info.status == "KILLED"

    write_history(tmp_path, 4)  # two epochs more, of which a broken connection told nobody
    again, phases = start(Journal(str(folder)), tmp_path)
    with phases.going():
        assert reopen(folder).get_run(str(run.id)).info.status == "RUNNING"

    assert again.id == run.id
    phased = below(folder, run)
    assert set(phased) == {HEAD, FINE_TUNING}
    assert [epoch for epoch, _ in steps(folder, phased[FINE_TUNING])] == [2, 3, 4]
    assert [epoch for epoch, _ in steps(folder, phased[HEAD])] == [1]


def test_another_work_folder_is_another_run(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()

    assert start(journal, tmp_path / "one")[0].id != start(journal, tmp_path / "other")[0].id


def test_an_error_shows_in_the_status(journal: Journal, folder: Path, tmp_path: Path) -> None:
    run, _ = start(journal, tmp_path)
    with pytest.raises(ZeroDivisionError), run.going():
        raise ZeroDivisionError

    assert reopen(folder).get_run(str(run.id)).info.status == "FAILED"


@pytest.mark.parametrize(
    "address", ["http://somebody:secret@127.0.0.1:9", "postgresql://somebody:secret@127.0.0.1:9/none", "nonsense://x", "{file}/below"]
)
def test_tracking_that_fails_is_one_warning_and_the_work_goes_on(address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    caplog.set_level(logging.WARNING, "training.tracking")
    journal = Journal(address.format(file=tmp_path / "file"))
    run, phases = start(journal, tmp_path)
    write_history(tmp_path, 2)
    with phases.going():
        phases.sync()
    run.keep(tmp_path, "package")
    run.finish()

    assert run.id is None
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "training.tracking"]
    assert "nothing is recorded from here on. Expected MLflow at " in warning
    assert "Received: " in warning
    assert "secret" not in warning


def test_no_tracking_leaves_nothing_behind(tmp_path: Path) -> None:
    run, phases = start(Journal("none"), tmp_path)
    with phases.going():
        phases.sync()

    assert run.id is None
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import socket, sys, threading
from pathlib import Path
asked = []
def refuse(*arguments, **named):
    asked.append(arguments)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from training.tracking import Journal
journal = Journal(sys.argv[1])
run = journal.run("a run", Path(sys.argv[1]), {}, {})
run.record({"auroc": 1.0})
run.finish()
print("mlflow" in sys.modules, bool(run.id), threading.active_count(), len(asked))
if "mlflow" in sys.modules:
    from mlflow.telemetry import get_telemetry_client
    print(get_telemetry_client())
"""


@pytest.mark.parametrize(("where", "expected"), [("{tmp}", "True True 1 0\nNone\n"), ("none", "False False 1 0\n")], ids=["folder", "none"])
def test_nothing_is_sent_to_anybody(where: str, expected: str, tmp_path: Path) -> None:
    # MLflow is silent by itself where it sees a test or CI.
    quiet = ("PYTEST", "CI", "GITHUB", "DO_NOT_TRACK", "MLFLOW")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(quiet)}
    command = [sys.executable, "-c", PROGRAM, where.format(tmp=tmp_path)]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_training_records_the_package_with_its_digest(train_tiny: Callable[..., Path], folder: Path, journal: Journal) -> None:
    package = train_tiny("--arch", "dense", "--head-epochs", "1", "--tracking", str(folder), "--name", "recorded")

    (run,) = reopen(folder).search_runs(["1"], "attributes.run_name = 'recorded'")
    assert run.info.status == "FINISHED"
    assert run.data.params["arch"] == "dense"
    assert 0.0 <= run.data.metrics["test_auroc"] <= 1.0
    assert "train_auroc" in run.data.metrics
    assert "test_train_auroc" not in run.data.metrics
    assert len(run.data.tags["package_sha256"]) == 64
    kept = {Path(each.path).name for each in reopen(folder).list_artifacts(run.info.run_id, "package")}
    assert kept == {path.name for path in package.iterdir()}
    phased = reopen(folder).search_runs(["1"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert {each.info.run_name for each in phased} == {HEAD, FINE_TUNING}
