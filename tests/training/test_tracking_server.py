"""Real trainings recorded by a real MLflow server, and read back: on SQLite with a folder, on PostgreSQL with an S3 behind the server."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.main import main
from core import jobs, models
from core.manifest import MANIFEST_FILE, read
from core.settings import BAKED_MODEL
from core.store import open_store
from tests.support import emulators, nurseries, tracking
from tests.training import retraining
from training.names import BACTERIAL, NORMAL, VIRAL
from training.tracking import EXPERIMENT, FINE_TUNING, HEAD

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

pytestmark = pytest.mark.train


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield stack.enter_context(tracking.server(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"), {}))
            return
        database, s3 = stack.enter_context(tracking.postgres()), stack.enter_context(emulators.moto())
        named = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
        environ = {name: value for name, value in s3.environ.items() if name in named}
        environ |= {"MLFLOW_S3_ENDPOINT_URL": s3.environ["AWS_ENDPOINT_URL"], "AWS_DEFAULT_REGION": s3.environ["AWS_REGION"]}
        for _ in range(2):  # as compose does at every start
            making = [sys.executable, str(emulators.ROOT / "infra" / "mlflow" / "bucket.py")]
            subprocess.run(making, env={**os.environ, **environ, "MLFLOW_BUCKET": "mlflow"}, check=True)
        yield stack.enter_context(tracking.server(database, "s3://mlflow/artifacts", environ))


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> "MlflowClient":
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # whoever trains needs no key of the artifacts
        monkeypatch.delenv(name, raising=False)
    return MlflowClient(address)


def find(client: "MlflowClient", wanted: str) -> "Run":
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], wanted)
    return run


def check_package(client: "MlflowClient", run: "Run", package: Path, target: Path) -> None:
    """The run names the package, and has every file of it as it was written."""
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith("mlflow-artifacts:")
    manifest, data = read(package)
    assert run.data.tags["package_sha256"] == hashlib.sha256(data).hexdigest()
    assert run.data.metrics["test_auroc"] == pytest.approx(manifest.metrics["auroc"]["value"])
    kept = Path(client.download_artifacts(run.info.run_id, "package", str(target)))
    files = {path.relative_to(package): path.read_bytes() for path in package.rglob("*") if path.is_file()}
    assert Path(MANIFEST_FILE) in files
    assert {path.relative_to(kept): path.read_bytes() for path in kept.rglob("*") if path.is_file()} == files


def test_training_is_recorded_epoch_by_epoch_with_its_package(client: "MlflowClient", phantoms: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    command = ["train", str(phantoms), "--arch", "dense", "--weights", "none", "--head-epochs", "1", "--epochs", "2", "--batch-size", "8"]
    assert main([*command, "--name", "recorded", "--work", str(tmp_path / "work"), "--out", str(package)]) == 0

    linked = read(package)[0].origin.config["mlflow_run"]
    run = client.get_run(linked)
    (tmp_path / "kept").mkdir()
    check_package(client, run, package, tmp_path / "kept")
    assert (run.data.params["arch"], run.data.params["epochs"]) == ("dense", "2")
    phases = {
        name: find(client, f"tags.`mlflow.parentRunId` = '{linked}' and attributes.run_name = '{name}'") for name in (HEAD, FINE_TUNING)
    }
    steps = {name: [point.step for point in client.get_metric_history(phase.info.run_id, "tune_loss")] for name, phase in phases.items()}
    assert steps == {HEAD: [1], FINE_TUNING: [2, 3]}


def test_retraining_is_recorded_and_linked_from_job_and_package(
    client: "MlflowClient", address: str, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in nurseries.lenient({"RETRAIN_EPOCHS": "2"}).items():
        monkeypatch.setenv(name, value)
    store = retraining.stocked(tmp_path / "store", champion, {NORMAL: 10, BACTERIAL: 5, VIRAL: 5})
    assert main(["retrain", "--store", (tmp_path / "store").as_uri(), "--work", str(tmp_path / "work")]) == 0

    last = jobs.find(open_store((tmp_path / "store").as_uri()), "1").last
    assert last is not None
    assert last.outcome is not None
    assert (last.outcome.result, last.outcome.run_uri) == ("promoted", address.rpartition(":")[0])
    run = client.get_run(str(last.outcome.run_id))
    manifest, _ = models.manifest(store, "0.2.0")
    assert manifest.origin.config["retraining"]["mlflow_run"] == last.outcome.run_id
    models.fetch(store, "0.2.0", tmp_path / "fetched")
    (tmp_path / "kept").mkdir()
    check_package(client, run, tmp_path / "fetched", tmp_path / "kept")


def test_a_server_that_greets_leaves_standard_output_to_the_report(
    client: "MlflowClient", phantoms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(BAKED_MODEL), str(phantoms), "--corruptions", "none", "--json", "-"]) == 0

    said = capsys.readouterr()
    assert json.loads(said.out)["metrics"]["auroc"]
    assert find(client, "tags.command = 'evaluate'").info.status == "FINISHED"
