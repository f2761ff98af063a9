"""Experiments in MLflow: a run a training, below it one for each phase, with parameters, figures by epoch and the package.

By default a SQLite file and a folder, no server and no network. Tracking is a witness, not a part of the training: whatever goes wrong here
is one warning, and the work goes on. Everything is found again by an identity that lies in the work folder, so that an interrupted
training goes on in the same runs. Called by `training.experiment`, `training.crossval` and the commands.
"""

import csv
import logging
import os
import sys
import time
import urllib.parse
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

EXPERIMENT: Final = "pneumonia"
NOWHERE: Final = "none"
HEAD, FINE_TUNING = "head", "fine-tuning"
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"

_IDENTITY_FILE: Final = "tracking.txt"
_IDENTITY_TAG: Final = "pneumonia.identity"
_LONGEST_PARAMETER: Final = 500  # characters that any MLflow server takes
_MARKER: Final = "fit_loss"  # the figure that every epoch has


class Journal:
    """The connection to MLflow, or to nothing."""

    def __init__(self, address: str) -> None:
        """Connect.

        Args:
            address: a folder, which gets a SQLite file and the packages; an MLflow address (http, postgresql, …); or `none`.
        """
        self._address = address
        self._client: MlflowClient | None = None
        self._experiment = ""
        if address != NOWHERE:
            self.attempt(self._connect)

    @property
    def shown(self) -> str:
        """The address without a password."""
        parts = urllib.parse.urlsplit(self._address)
        return f"{parts.scheme}://{parts.hostname}" if parts.hostname else self._address

    def attempt(self, work: "Callable[[MlflowClient, str], _Result]") -> _Result | None:
        """Do something with MLflow; on any failure say so once and do nothing from then on."""
        if self._address == NOWHERE:
            return None
        try:
            with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # it greets there; standard output is the command's, often JSON
                warnings.simplefilter("ignore")  # MLflow's, on its own dependencies
                return work(self._client, self._experiment)  # type: ignore[arg-type]  # None before `_connect`, which needs none
        except Exception as error:  # MLflow raises its own, SQLAlchemy's, urllib3's and bare ones
            reason = str(error).partition("\n")[0].replace(self._address, self.shown)
            _log.warning(
                "nothing is recorded from here on. Expected MLflow at %s. Received: %s: %s", self.shown, type(error).__name__, reason
            )
            self._address = NOWHERE
            return None

    def run(self, name: str, work: Path, parameters: Mapping[str, Any], tags: Mapping[str, str], parent: "Run | None" = None) -> "Run":
        """Start a run, or go on with the one that was started for this work folder.

        Args:
            name: as MLflow shows it.
            work: the folder of the training; it keeps the run's identity.
            parameters: nested tables become `table.key`.
            tags: further facts.
            parent: the run below which this one stands.
        """
        identity = self.attempt(lambda client, experiment: _identity(work)) or ""
        return self.find(name, identity, parameters, tags, parent)

    def find(self, name: str, identity: str, parameters: Mapping[str, Any], tags: Mapping[str, str], parent: "Run | None" = None) -> "Run":
        """Return the run with this identity, new where there is none."""

        def work(client: "MlflowClient", experiment: str) -> str:
            from mlflow.entities import Param

            found = client.search_runs([experiment], f"tags.`{_IDENTITY_TAG}` = '{identity}'", max_results=1)
            if found:
                return str(found[0].info.run_id)
            nested = {"mlflow.parentRunId": parent.id} if parent and parent.id else {}
            run = client.create_run(experiment, tags={_IDENTITY_TAG: identity, **nested, **tags}, run_name=name)
            flat = [Param(key, str(value)[:_LONGEST_PARAMETER]) for key, value in _flatten(parameters).items()]
            client.log_batch(run.info.run_id, params=flat)
            return str(run.info.run_id)

        return Run(self, self.attempt(work), identity)

    def _connect(self, _client: object, _experiment: str) -> None:
        _silence()
        from mlflow import MlflowClient

        if "://" in self._address or self._address == "databricks":
            self._client = MlflowClient(self._address)
            artifacts = None
        else:
            folder = Path(self._address).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            self._client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
            artifacts = (folder / "artifacts").as_uri()
        there = self._client.get_experiment_by_name(EXPERIMENT)
        self._experiment = there.experiment_id if there else self._client.create_experiment(EXPERIMENT, artifact_location=artifacts)


class Run:
    """One MLflow run; where tracking is off or has failed, one that forgets."""

    def __init__(self, journal: Journal, run_id: str | None, identity: str) -> None:
        self.id = run_id
        self._journal = journal
        self._identity = identity
        self._last: int | None = None

    def below(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> "Run":
        """Start a run below this one, or go on with it."""
        return self._journal.find(name, f"{self._identity}/{name}", parameters, tags, self)

    def at(self, name: str, work: Path, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> "Run":
        """Start a run below this one that has a work folder of its own, or go on with it."""
        return self._journal.run(name, work, parameters, tags, self)

    def record(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Write figures down, once a step, however often the training was interrupted."""

        def work(client: "MlflowClient", run_id: str) -> None:
            from mlflow.entities import Metric

            if step and self._last is None:
                self._last = max((point.step for point in client.get_metric_history(run_id, _MARKER)), default=0)
            if step and step <= (self._last or 0):
                return
            now = int(time.time() * 1000)
            client.log_batch(run_id, metrics=[Metric(name, float(value), now, step) for name, value in figures.items()])
            self._last = step or self._last

        self._attempt(work)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add facts that are known only now."""
        self._attempt(lambda client, run_id: [client.set_tag(run_id, name, value) for name, value in tags.items()])

    def keep(self, folder: Path, name: str) -> None:
        """Put a folder, such as a model package, with the run."""
        self._attempt(lambda client, run_id: client.log_artifacts(run_id, str(folder), name))

    def keep_text(self, text: str, name: str) -> None:
        """Put a text with the run, as the file `name`."""
        self._attempt(lambda client, run_id: client.log_text(run_id, text, name))

    def finish(self, status: str = FINISHED) -> None:
        """Say that it has ended, and how: `FINISHED`, `FAILED` or `KILLED`."""
        self._attempt(lambda client, run_id: client.set_terminated(run_id, status))

    @contextmanager
    def going(self) -> Iterator[None]:
        """Say that it runs; an interruption or an error within shows in its status."""
        self._attempt(lambda client, run_id: client.update_run(run_id, "RUNNING"))
        try:
            yield
        except KeyboardInterrupt:
            self.finish(KILLED)
            raise
        except BaseException:
            self.finish(FAILED)
            raise

    def _attempt(self, work: "Callable[[MlflowClient, str], object]") -> None:
        run_id = self.id
        if run_id:
            self._journal.attempt(lambda client, _: work(client, run_id))


class Phases:
    """Keeps two runs below a training's, head and fine-tuning, level with the history that the training writes."""

    def __init__(self, run: Run, history: Path, head_epochs: int, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._run = run
        self._history = history
        self._head_epochs = head_epochs
        self._facts = (parameters, tags)
        self._phases: dict[str, Run] = {}

    def sync(self) -> None:
        """Record the epochs that are in the history and not yet in MLflow: also those that a broken connection or a kill left out."""
        if not self._history.is_file():
            return
        with self._history.open(newline="") as file:
            rows = {int(row["epoch"]): row for row in csv.DictReader(file)}
        for epoch, row in sorted(rows.items()):
            name = HEAD if epoch <= self._head_epochs else FINE_TUNING
            if name not in self._phases:
                self._phases[name] = self._run.below(name, *self._facts)
            self._phases[name].record({key: float(value) for key, value in row.items() if key != "epoch" and value}, epoch)

    @contextmanager
    def going(self) -> Iterator[None]:
        """Say that the training runs; where it ends well, so have its phases."""
        with self._run.going():
            self.sync()
            yield
        self.sync()
        for phase in self._phases.values():
            phase.finish()


def _identity(work: Path) -> str:
    """Return what tells this work folder from all others, wherever it is moved."""
    path = work / _IDENTITY_FILE
    if not path.is_file():
        work.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid.uuid4().hex)
    return path.read_text().strip()


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat.update(_flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value})
    return flat


def _silence() -> None:
    """Switch off what MLflow sends to its makers, its log of migrations, and minutes of retrying when a server does not answer.

    The switch is an environment variable that is read while `mlflow` is imported (3.17); there is no other.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT

    for variable, value in ((MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1), (MLFLOW_HTTP_REQUEST_TIMEOUT, 15)):
        if not variable.is_set():  # type: ignore[no-untyped-call]
            variable.set(value)  # type: ignore[no-untyped-call]
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
