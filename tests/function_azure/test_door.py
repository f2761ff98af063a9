import json
import shutil
from pathlib import Path

import pytest

from tests.function_azure.calls import call
from tests.function_azure.launcher import REPOSITORY, AzureHost, azure_host


def problem_code(body: bytes) -> str:
    code: str = json.loads(body)["code"]
    return code


def test_startup_lists_the_functions(door: AzureHost) -> None:
    assert door.startup.splitlines()[2:5] == [
        f"  health: {door.base_url}/health/{{probe}} [all methods] auth level anonymous",
        f"  page: {door.base_url}/{{nothing:maxlength(0)?}} [all methods] auth level anonymous",
        f"  pneumonia: {door.base_url}/{{*path}} [all methods] auth level function",
    ]


@pytest.mark.parametrize("path", ["/health/live", "/", "/openapi.json", "/metrics", "/status"])
def test_route_answers_with_200(path: str, door: AzureHost) -> None:
    assert call(door.base_url, "GET", path).status == 200


def test_page_has_its_content_type(door: AzureHost) -> None:
    assert call(door.base_url, "GET", "/").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_every_method_reaches_core_which_says_what_it_allows(method: str, door: AzureHost) -> None:
    answer = call(door.base_url, method, "/predict")
    assert (answer.status, answer.headers["allow"], problem_code(answer.body)) == (405, "POST", "method_not_allowed")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/no/such/route", "/health/none", "/health/live/more"])
def test_unknown_path_reaches_core(path: str, door: AzureHost) -> None:
    answer = call(door.base_url, "GET", path)
    assert (answer.status, problem_code(answer.body)) == (404, "unknown_route")


def test_chunked_picture_is_refused_with_length_required(door: AzureHost) -> None:
    answer = call(door.base_url, "POST", "/predict", iter([b"\xff\xd8", b"\xff"]), {"Content-Type": "image/jpeg"})
    assert (answer.status, problem_code(answer.body)) == (411, "length_required")


def test_only_health_and_the_page_are_open_where_keys_are_checked() -> None:
    with azure_host("--enable-auth", "--key", "k") as host:
        assert call(host.base_url, "GET", "/health/live").status == 200
        assert call(host.base_url, "GET", "/").status == 200
        assert call(host.base_url, "POST", "/").status == 405
        assert call(host.base_url, "GET", "/docs").status == 401
        assert call(host.base_url, "GET", "/status").status == 401
        assert call(host.base_url, "GET", "/status", headers={"x-functions-key": "k"}).status == 200
        assert call(host.base_url, "GET", "/status?code=k").status == 200


def test_app_works_from_another_script_root_and_another_folder(tmp_path: Path) -> None:
    script_root = tmp_path / "site" / "wwwroot"
    script_root.mkdir(parents=True)
    shutil.copy(REPOSITORY / "function_azure" / "function_app.py", script_root)
    shutil.copy(REPOSITORY / "host.json", script_root)
    with azure_host("--script-root", str(script_root), folder=tmp_path) as host:
        assert call(host.base_url, "GET", "/health/live").status == 200
        assert call(host.base_url, "GET", "/").status == 200


def test_invalid_auth_level_is_told_by_health_and_lets_nobody_in_without_a_key() -> None:
    with azure_host("--enable-auth", environ={"PNEUMONIA_AZURE_AUTH_LEVEL": "nobody"}) as host:
        answer = call(host.base_url, "GET", "/health/ready")
        assert (answer.status, problem_code(answer.body)) == (503, "invalid_settings")
        assert "PNEUMONIA_AZURE_AUTH_LEVEL" in answer.body.decode()
        assert call(host.base_url, "GET", "/status").status == 401
