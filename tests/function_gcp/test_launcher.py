"""Cloud Run's launcher against a server that stands for the Admin API and the metadata server."""

from collections.abc import Iterator

import pytest

from core import errors, rest
from core.settings import Settings
from function_gcp.launcher import CloudRun
from tests.support import cloud
from tests.support.cloud import Cloud

JOB = "projects/p/locations/europe-west1/jobs/retrain"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(rest, "_PAUSE_S", 0.001)
    with cloud.opened() as opened:
        opened.on("GET", TOKEN_PATH, (200, {"access_token": "t0k3n", "expires_in": 3599, "token_type": "Bearer"}))
        opened.on("POST", f"/v2/{JOB}:run", (200, {"name": "operations/1"}))
        yield opened


def launcher(google: Cloud) -> CloudRun:
    return CloudRun(Settings(launcher="cloud-run", launcher_job=JOB, launcher_url=google.url, launcher_token_url=google.url), {})


def test_run_has_path_verb_body_and_token_of_the_admin_api(google: Cloud) -> None:
    launcher(google).launch("00000007")

    token, run = google.asked
    assert (token.method, token.path, token.headers["metadata-flavor"]) == ("GET", TOKEN_PATH, "Google")
    assert (run.method, run.path) == ("POST", f"/v2/{JOB}:run")
    assert run.headers["authorization"] == "Bearer t0k3n"
    assert run.headers["content-type"] == "application/json"
    assert run.body == {"overrides": {"containerOverrides": [{"args": ["retrain", "--job", "00000007"]}], "taskCount": 1}}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusal_is_told_and_not_tried_again(google: Cloud, status: int) -> None:
    google.on("POST", f"/v2/{JOB}:run", (status, {"error": {"message": "Permission 'run.jobs.run' denied"}}))

    with pytest.raises(errors.LauncherFailed, match=rf"{status} .*run\.jobs\.run") as raised:
        launcher(google).launch("00000007")
    assert len(google.asked) == 2
    assert "t0k3n" not in str(raised.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_busy_service_is_tried_three_times(google: Cloud, status: int) -> None:
    google.on("POST", f"/v2/{JOB}:run", (status, {}), (status, {}), (200, {"name": "operations/1"}))
    launcher(google).launch("00000007")
    assert len(google.asked) == 4

    google.on("POST", f"/v2/{JOB}:run", (status, {}))
    with pytest.raises(errors.LauncherFailed, match=str(status)):
        launcher(google).launch("00000007")
    assert len(google.asked) == 4 + 4


def test_service_that_does_not_answer_is_told(google: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest.call, "__defaults__", (None, 0.2, *rest.call.__defaults__[2:]))  # type: ignore[index]
    google.silent.clear()

    with pytest.raises(errors.LauncherFailed, match="no answer"):
        launcher(google).launch("00000007")
    assert len(google.asked) == 1


def test_nobody_there_is_told() -> None:
    settings = Settings(launcher_job=JOB, launcher_url="http://127.0.0.1:9", launcher_token_url="http://127.0.0.1:9")

    with pytest.raises(errors.LauncherFailed, match="no answer"):
        CloudRun(settings, {}).launch("00000007")


@pytest.mark.parametrize("answer", [b"<html>", {"expires_in": 1}, {"access_token": ""}, b"[]", b""])
def test_token_service_that_gives_no_token_is_told(google: Cloud, answer: object) -> None:
    google.on("GET", TOKEN_PATH, (200, answer))

    with pytest.raises(errors.LauncherFailed):
        launcher(google).launch("00000007")
    assert [asked.method for asked in google.asked] == ["GET"]


@pytest.mark.parametrize("name", [None, "retrain", "projects/p/jobs/x", f"{JOB}:delete?", f"https://elsewhere/{JOB}"])
def test_name_that_is_no_jobs_is_refused(name: str | None) -> None:
    with pytest.raises(errors.InvalidSettings, match="PNEUMONIA_LAUNCHER_JOB"):
        CloudRun(Settings(launcher_job=name), {})
