"""The Container Apps launcher against a server that stands for Azure Resource Manager and the identity endpoint."""

from collections.abc import Iterator, Mapping

import pytest

from core import errors, rest
from core.settings import Settings
from function_azure.launcher import ContainerApps
from tests.support import cloud
from tests.support.cloud import Cloud

JOB = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/jobs/retrain"
START = f"{JOB}/start?api-version=2024-03-01"
CONTAINER = {
    "name": "worker",
    "image": "registry/pneumonia:1",
    "command": ["pneumonia"],
    "args": ["--help"],
    "env": [{"name": "PNEUMONIA_STORE", "value": "az://c/p"}],
    "resources": {"cpu": 2.0, "memory": "4Gi"},
    "probes": [],
    "volumeMounts": None,
}


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(rest, "_PAUSE_S", 0.001)
    with cloud.opened() as opened:
        opened.on("GET", "/msi/token", (200, {"access_token": "t0k3n", "token_type": "Bearer", "expires_on": "1"}))
        opened.on("GET", JOB, (200, {"name": "retrain", "properties": {"template": {"containers": [CONTAINER]}}}))
        opened.on("POST", START, (202, b""))
        yield opened


def launcher(azure: Cloud, environ: Mapping[str, str] | None = None) -> ContainerApps:
    platform = {"IDENTITY_ENDPOINT": f"{azure.url}/msi/token", "IDENTITY_HEADER": "h3ad3r"}
    return ContainerApps(Settings(launcher="container-apps", launcher_job=JOB, launcher_url=azure.url), platform | dict(environ or {}))


def test_start_has_path_verb_body_and_token_of_the_resource_manager(azure: Cloud) -> None:
    launcher(azure).launch("00000007")

    token, template, start = azure.asked
    assert (token.method, token.path) == ("GET", "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com%2F")
    assert token.headers["x-identity-header"] == "h3ad3r"
    assert (template.method, template.path) == ("GET", f"{JOB}?api-version=2024-03-01")
    assert (start.method, start.path) == ("POST", START)
    assert start.headers["authorization"] == template.headers["authorization"] == "Bearer t0k3n"
    kept = {key: CONTAINER[key] for key in ("name", "image", "command", "env", "resources")}
    assert start.body == {"containers": [{**kept, "args": ["retrain", "--job", "00000007"]}]}


def test_user_assigned_identity_is_named(azure: Cloud) -> None:
    launcher(azure, {"AZURE_CLIENT_ID": "c"}).launch("00000007")

    assert azure.asked[0].path.endswith("&client_id=c")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
@pytest.mark.parametrize(("method", "path"), [("GET", "/msi/token"), ("GET", JOB), ("POST", START)])
def test_refusal_is_told_and_not_tried_again(azure: Cloud, status: int, method: str, path: str) -> None:
    azure.on(method, path, (status, {"error": {"code": "AuthorizationFailed", "message": "no"}}))

    with pytest.raises(errors.LauncherFailed, match=rf"{status} .*AuthorizationFailed") as raised:
        launcher(azure).launch("00000007")
    assert azure.asked[-1].path.startswith(path.partition("?")[0])
    assert "t0k3n" not in str(raised.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_service_is_tried_three_times(azure: Cloud, status: int) -> None:
    azure.on("POST", START, (status, {}), (status, {}), (200, {"name": "retrain-x"}))
    launcher(azure).launch("00000007")
    assert len(azure.asked) == 5

    azure.on("POST", START, (status, {}))
    with pytest.raises(errors.LauncherFailed, match=str(status)):
        launcher(azure).launch("00000007")


@pytest.mark.parametrize("answer", [{}, {"properties": {"template": {"containers": []}}}, {"properties": None}, {"properties": []}])
def test_job_without_a_container_is_told(azure: Cloud, answer: object) -> None:
    azure.on("GET", JOB, (200, answer))

    with pytest.raises(errors.LauncherFailed, match="container"):
        launcher(azure).launch("00000007")


def test_app_without_an_identity_is_told() -> None:
    with pytest.raises(errors.LauncherFailed, match="IDENTITY_ENDPOINT"):
        ContainerApps(Settings(launcher_job=JOB), {}).launch("00000007")


@pytest.mark.parametrize("name", [None, "retrain", f"https://elsewhere{JOB}", f"{JOB}/stop", f"{JOB}?x"])
def test_name_that_is_no_jobs_is_refused(name: str | None) -> None:
    with pytest.raises(errors.InvalidSettings, match="PNEUMONIA_LAUNCHER_JOB"):
        ContainerApps(Settings(launcher_job=name), {})
