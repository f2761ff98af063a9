"""Commands that look or rewrite, in a real MLflow on SQLite: recorded after they have answered, wherever nothing else is said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli import recording
from cli.main import main
from core.settings import BAKED_MODEL

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as Recorded

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]


def reopen(folder: Path) -> "MlflowClient":
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def looked(folder: Path, command: str) -> "Recorded":
    experiment = reopen(folder).get_experiment_by_name("pneumonia")
    assert experiment is not None
    (run,) = reopen(folder).search_runs([experiment.experiment_id], f"tags.command = '{command}'")
    return run


def kept(folder: Path, run: "Recorded", name: str, target: Path) -> bytes:
    target.mkdir()
    return Path(reopen(folder).download_artifacts(run.info.run_id, f"report/{name}", str(target))).read_bytes()


def test_commands_that_look_or_rewrite_are_recorded(phantoms: Path, tmp_path: Path) -> None:
    place, file = tmp_path / "mlflow", tmp_path / "file"
    file.touch()
    report, out = tmp_path / "evaluation.json", tmp_path / "package"
    package = str(next(BAKED_MODEL.rglob("manifest.json")).parent)
    good = {
        "explore": [str(phantoms), "--out", str(tmp_path / "explore.html")],
        "evaluate": [package, str(phantoms), "--corruptions", "none", "--json", str(report)],
        "export": [package, "--out", str(out)],
        "compare": [package, "--out", str(tmp_path / "compare")],
    }
    failing = {
        "calibrate": [package, str(tmp_path / "nowhere"), "--out", str(tmp_path / "new")],
        "package": [str(tmp_path / "nowhere.keras"), "--out", str(tmp_path / "new")],
        "guard": [package, str(tmp_path / "nowhere"), "--out", str(tmp_path / "new")],
        "fetch-data": [str(file), "--url", "http://somebody:secret@127.0.0.1:9/a.zip?token=secret", "--sha256", "0" * 64],
    }
    for command, arguments in {**good, **failing}.items():
        assert main([command, *arguments, "--tracking", str(place)]) == (2 if command in failing else 0), command

    runs = {command: looked(place, command) for command in (*good, *failing)}
    assert set(runs) == set(recording.COMMANDS)
    statuses = {command: run.info.status for command, run in runs.items()}
    assert statuses == {**dict.fromkeys(good, "FINISHED"), **dict.fromkeys(failing, "FAILED")}
    assert all(run.data.metrics["seconds"] >= 0.0 for run in runs.values())
    evaluated = json.loads(report.read_bytes())
    assert runs["evaluate"].data.params["dataset"] == phantoms.name
    assert runs["fetch-data"].data.params["url"] == "http://127.0.0.1:9/a.zip"
    assert runs["evaluate"].data.metrics["auroc"] == pytest.approx(evaluated["metrics"]["auroc"]["value"])
    assert kept(place, runs["evaluate"], "evaluate.json", tmp_path / "a") == report.read_bytes()
    assert json.loads(kept(place, runs["explore"], "explore.json", tmp_path / "b"))
    assert kept(place, runs["export"], "manifest.json", tmp_path / "c") == (out / "manifest.json").read_bytes()
    assert len(json.loads(kept(place, runs["compare"], "compare.json", tmp_path / "d"))["models"]) == 1


def evaluate(phantoms: Path, where: Path) -> subprocess.CompletedProcess[str]:
    """Run `pneumonia evaluate --json -` in a folder, with nothing said of MLflow."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "cli.main", "evaluate", str(BAKED_MODEL), str(phantoms), "--corruptions", "none", "--json", "-"]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)


def test_what_is_said_of_nothing_lies_beside_the_work_and_standard_output_holds_json_alone(phantoms: Path, tmp_path: Path) -> None:
    done = evaluate(phantoms, tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["auroc"]
    assert "nothing is recorded" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    run = looked(tmp_path / "runs/mlflow", "evaluate")
    assert run.info.status == "FINISHED"
    assert Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(tmp_path / "runs/mlflow")


def test_an_answer_does_not_hang_on_its_record(phantoms: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").touch()

    done = evaluate(phantoms, tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["auroc"]
    assert done.stderr.count("nothing is recorded from here on. Expected MLflow at runs/mlflow. Received: ") == 1


def test_a_look_that_is_interrupted_shows_in_the_status(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.explore.explore", interrupt)

    assert main(["explore", str(phantoms), "--out", str(tmp_path / "page.html"), "--tracking", str(tmp_path / "mlflow")]) == 130

    assert looked(tmp_path / "mlflow", "explore").info.status == "KILLED"


def test_looking_records_nothing_where_that_is_asked_for(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)

    assert main(["explore", str(phantoms), "--tracking", "none"]) == 0

    assert [path.name for path in tmp_path.iterdir()] == ["explore.html"]
