import io
import json
import subprocess
import sys

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from core.bodies import read_body
from core.contract import Request, Response
from core.errors import LengthRequired
from function_azure import function_app
from tests.function_azure.launcher import REPOSITORY

HEAVY = (
    "azure_functions_runtime flask functions_framework google.protobuf grpc keras matplotlib mlflow pandas pydicom scipy sklearn tensorflow"
)


def http_request(url: str = "http://host/predict", body: bytes = b"", **headers: str) -> func.HttpRequest:
    return func.HttpRequest("post", url, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def test_request_is_converted_whole() -> None:
    request = function_app.to_request(
        http_request("http://host/predict?explain=heatmap", b"\xff\xd8", Content_Type="image/jpeg"), "/predict"
    )
    assert isinstance(request.body, io.BytesIO)
    assert (request.method, request.path, request.query) == ("POST", "/predict", {"explain": "heatmap"})
    assert (dict(request.headers), request.body.getvalue()) == ({"content-type": "image/jpeg"}, b"\xff\xd8")
    assert Request.__struct_fields__ == ("method", "path", "query", "headers", "body", "parameters")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("a=1&a=2", {"a": "2"}, id="last of repeated"),
        pytest.param("a=1,2", {"a": "1,2"}, id="comma"),
        pytest.param("explain=", {"explain": ""}, id="empty value"),
        pytest.param("a=x%2By+z%26", {"a": "x+y z&"}, id="escapes"),
        pytest.param("", {}, id="none"),
    ],
)
def test_query_is_read_as_the_other_doors_read_it(query: str, expected: dict[str, str]) -> None:
    assert function_app.to_request(http_request(f"http://host/p?{query}"), "/p").query == expected


def test_body_without_content_length_is_refused_with_length_required() -> None:
    with pytest.raises(LengthRequired):
        read_body(function_app.to_request(http_request(Transfer_Encoding="chunked"), "/predict"), 1000)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/problem+json", "text/html; charset=utf-8", "image/png", "text/plain"]
)
def test_response_is_converted_whole_and_azure_leaves_it_alone(content_type: str) -> None:
    headers = {"Content-Type": content_type, "Allow": "POST", "X-Request-Id": "r"}
    encoded = HttpResponseConverter.encode(
        function_app.to_http_response(Response(status=405, headers=headers, body=b"\x00\xff")), expected_type=None
    ).value
    assert encoded["status_code"].value == "405"
    assert {name: datum.value for name, datum in encoded["headers"].items()} == headers
    assert encoded["body"].value == b"\x00\xff"


@pytest.fixture(scope="module")
def triggers() -> dict[str, dict[str, str]]:
    """The HTTP trigger of each function; the library indexes an app once only."""
    return {str(function.get_function_name()): json.loads(function.get_raw_bindings()[0]) for function in function_app.app.get_functions()}


def test_app_has_exactly_these_functions(triggers: dict[str, dict[str, str]]) -> None:
    trigger = {"direction": "IN", "type": "httpTrigger", "name": "req"}
    assert triggers == {
        "health": {**trigger, "route": "health/{probe}", "authLevel": "ANONYMOUS"},
        "page": {**trigger, "route": "{nothing:maxlength(0)?}", "authLevel": "ANONYMOUS"},
        "pneumonia": {**trigger, "route": "{*path}", "authLevel": "FUNCTION"},
    }


def test_catch_all_comes_last_in_the_alphabet_since_azure_takes_the_first_that_matches(triggers: dict[str, dict[str, str]]) -> None:
    assert triggers[max(triggers)]["route"] == "{*path}"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("AZURE_AUTH_LEVEL", "", func.AuthLevel.FUNCTION, id="default"),
        pytest.param("AZURE_AUTH_LEVEL", "anonymous", func.AuthLevel.ANONYMOUS, id="anonymous"),
        pytest.param("AZURE_AUTH_LEVEL", "FUNCTION", func.AuthLevel.FUNCTION, id="function"),
        pytest.param("AZURE_AUTH_LEVEL", "Admin", func.AuthLevel.ADMIN, id="admin"),
        pytest.param("AZURE_AUTH_LEVEL", "nobody", func.AuthLevel.FUNCTION, id="invalid level asks for a key"),
        pytest.param("NO_SUCH_SETTING", "1", func.AuthLevel.FUNCTION, id="invalid settings ask for a key"),
    ],
)
def test_auth_level_comes_from_the_settings(name: str, value: str, expected: func.AuthLevel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PNEUMONIA_{name}", value)
    assert function_app.read_auth_level() is expected


def test_import_is_light() -> None:
    code = f"import function_azure.function_app, sys; print(*[name for name in {HEAVY!r}.split() if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
