"""Probes, events, metrics and alerts look for what the service really answers and writes; identities may do what the launchers do."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from cli import drift as drift_command
from core import drift, phantom
from core.bootstrap import bootstrap
from core.contract import Request
from core.logs import LOGGER, JsonFormatter
from core.routes import ROUTES
from function_azure import function_app
from function_azure import launcher as azure_launcher
from function_gcp import launcher as gcp_launcher
from tests.infra import terraform, tools

pytestmark = pytest.mark.infra
GCP = {path.name: path.read_text("utf-8") for path in tools.GCP.glob("*.tf")}
AZURE = {path.name: path.read_text("utf-8") for path in (tools.AZURE / "modules").iterdir()}
GET = {route.path for route in ROUTES if route.method == "GET"}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Lines as the service writes them: answers, refusals, a promotion that cannot be loaded, a start without a model."""
    written: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    keep = Keep()
    keep.setFormatter(JsonFormatter())
    LOGGER.addHandler(keep)
    try:
        store = tmp_path_factory.mktemp("store")
        (store / "promotions").mkdir()
        (store / "promotions" / "00000001.json").write_text("{}")
        service = bootstrap({"PNEUMONIA_STORE": store.as_uri()})
        for path, body in (("/predict", phantom.jpeg()), ("/predict", b"no picture"), ("/status", b"")):
            service.handle(_request("POST" if body else "GET", path, body))
        bootstrap({"PNEUMONIA_MODEL": str(store / "nowhere")}).handle(_request("POST", "/predict", phantom.jpeg()))
    finally:
        LOGGER.removeHandler(keep)
    return written


def _request(method: str, path: str, body: bytes) -> Request:
    import io

    headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
    return Request(method=method, path=path, query={}, headers=headers, body=io.BytesIO(body))


def fields_asked_for() -> Iterator[tuple[str, str]]:
    """Yield where a field of a line is asked for, and its name."""
    for place, pattern in (("metrics.tf", r"jsonPayload\.(\w+)"), ("alerts.bicep", r"\bline\.(\w+)")):
        yield from ((place, name) for name in re.findall(pattern, {**GCP, **AZURE}[place]))


def test_every_field_that_is_looked_for_is_written(lines: list[dict[str, Any]]) -> None:
    known = {name for line in lines for name in line} | set(drift_command.Row._fields)
    asked = list(fields_asked_for())

    assert {place for place, _ in asked} == {"metrics.tf", "alerts.bicep"}
    assert [(place, name) for place, name in asked if name not in known] == []


def test_every_message_that_is_looked_for_is_written(lines: list[dict[str, Any]]) -> None:
    asked = set(re.findall(r'jsonPayload\.message=\\"([^\\]+)\\"', GCP["metrics.tf"]))
    asked |= {
        message
        for each in re.findall(r"line\.message\) in \(([^)]*)\)", AZURE["alerts.bicep"])
        for message in re.findall('"([^"]+)"', each)
    }

    assert asked == {"request", "cannot reload", "cannot serve"}
    assert asked - {line["message"] for line in lines} == set()


def test_every_metric_has_the_type_that_it_is_taken_as(lines: list[dict[str, Any]]) -> None:
    requests = [line for line in lines if line["message"] == "request"]

    assert requests
    assert all(isinstance(line["status"], int) and isinstance(line["milliseconds"], float) for line in requests)
    assert {line["status"] for line in requests} == {200, 422, 503}
    assert [line["decision"] for line in requests if "decision" in line]


def test_requests_are_those_of_the_function() -> None:
    asked = set(re.findall(r'OperationName == "(\w+)"', AZURE["alerts.bicep"]))

    assert asked == {"pneumonia"}
    assert asked <= set(re.findall(r"^def (\w+)\(req", Path(function_app.__file__).read_text("utf-8"), re.MULTILINE))


def test_the_verdict_that_alerts_is_one() -> None:
    assert all("shifted" in text for text in (GCP["metrics.tf"], AZURE["alerts.bicep"]))
    assert "shifted" in get_args(drift.Verdict)


def test_alerts_and_charts_take_metrics_that_there_are() -> None:
    module = terraform.read(tools.GCP)
    metrics = set(re.findall(r"^    ([\w-]+) = \{$", GCP["metrics.tf"], re.MULTILINE))
    taken = set(re.findall(r'local\.metric_type\["([\w-]+)"\]', GCP["alerts.tf"])) | set(
        re.findall(r'metric = "([\w-]+)"', GCP["dashboard.tf"])
    )
    alerts = {each.name for each in module.resources() if each.type == "google_monitoring_alert_policy"}

    assert taken == metrics
    assert {"error_rate", "latency", "reload_errors", "drift"} <= alerts
    assert set(re.findall(r"^    name: '([\w-]+)'", AZURE["alerts.bicep"], re.MULTILINE)) == {"errors", "latency", "reload-errors", "drift"}


def test_what_is_probed_and_woken_is_a_route() -> None:
    probed = {
        name: set(re.findall(r'path\s*[=:]\s*["\']([^"\']+)["\']|healthCheckPath: \'([^\']+)\'', text))
        for name, text in {**GCP, **AZURE}.items()
    }
    paths = {path for found in probed.values() for pair in found for path in pair if path}
    woken = set(re.findall(r"uri\}(/[\w/]+)", GCP["events.tf"])) | set(re.findall(r"'(/[\w/]+)'\)", AZURE["reload.json"]))

    assert paths == {"/health/live", "/health/ready"}
    assert woken == {"/health/ready"}
    assert (paths | woken) - GET == set()
    assert [path for path in paths if path.endswith("z")] == []


@pytest.mark.parametrize(
    ("said", "given"), [(gcp_launcher.__doc__, GCP["identity.tf"]), (azure_launcher.__doc__, AZURE["jobs.bicep"])], ids=["google", "azure"]
)
def test_a_launcher_may_do_what_it_does_and_no_more(said: str, given: str) -> None:
    wanted = set(re.findall(r"`(run\.jobs\.\w+|Microsoft\.App/jobs/[\w/]+)`", said))

    assert wanted
    assert set(re.findall(r"[\"'](run\.[\w.]+|Microsoft\.App/jobs/[\w/]+)[\"']", given)) == wanted


def test_roles_are_given_on_one_thing_each() -> None:
    project_wide = re.findall(r'resource "google_(?:project|folder|organization)_iam_\w+" "(\w+)"', "\n".join(GCP.values()))
    roles = set(re.findall(r"roles/[\w.]+", "\n".join(GCP.values())))

    assert sorted(project_wide) == ["events_start_workflows", "job_starter"]
    assert roles == {
        *("roles/pubsub.publisher", "roles/run.invoker", "roles/secretmanager.secretAccessor"),
        *("roles/storage.objectUser", "roles/storage.objectViewer", "roles/workflows.invoker"),
    }


def test_nobody_is_let_in_unasked() -> None:
    module = terraform.read(tools.GCP)
    open_to_all = [name for name, text in GCP.items() if "allUsers" in text or "allAuthenticatedUsers" in text]

    assert open_to_all == ["identity.tf"]
    assert 'var.allow_unauthenticated ? setunion(var.invokers, ["allUsers"])' in GCP["identity.tf"]
    assert module.named("variable")["allow_unauthenticated"]["default"] is False
    assert module.named("variable")["invokers"]["default"] == []


def test_commands_are_in_the_image() -> None:
    dockerfile = tools.ROOT / "Dockerfile"
    if not dockerfile.exists():
        pytest.skip("needs the Dockerfile, which this checkout does not have")
    (module,) = re.findall(r'command = \["python", "-m", "([\w.]+)"\]', GCP["service.tf"])

    assert (tools.ROOT / Path(*module.split("."))).with_suffix(".py").exists()
    assert "/usr/local/bin/" in dockerfile.read_text("utf-8")  # pneumonia, which the jobs run
    assert "AS train" in dockerfile.read_text("utf-8")
