import contextlib
import http.client
import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.function_azure.calls import call
from tests.function_azure.conftest import KEY, WWWROOT
from tests.function_azure.launcher import END_LIMIT_S, REPOSITORY, AzureHost, azure_host, start


def test_startup_lists_functions_with_methods_urls_and_auth_levels(any_app: AzureHost) -> None:
    url = f"{any_app.base_url}/v1"
    assert any_app.startup.splitlines() == [
        f"Listening on {any_app.base_url} (Ctrl+C ends it)",
        "Functions:",
        f"  echo: {url}/echo/{{*path}} [all methods] auth level function",
        f"  fail: {url}/fail [all methods] auth level function",
        f"  hold: {url}/hold [all methods] auth level function",
        f"  meet: {url}/meet [all methods] auth level function",
        f"  open_to_all: {url}/open [GET] auth level anonymous",
        "Keys are not checked; --enable-auth checks them as Azure does.",
    ]


def test_function_gets_the_request_as_from_azure(any_app: AzureHost) -> None:
    target = "/v1/echo/a%20b/c?x=1&x=2&empty=&y=%2B"
    answer = call(any_app.base_url, "PATCH", target, b"\x00\xff", {"X-Some-Name": "Value", "Content-Type": "image/jpeg"})
    arrived = json.loads(answer.body)
    headers = arrived.pop("headers")
    assert arrived == {
        "method": "PATCH",
        "url": f"{any_app.base_url}{target}",
        "query": {"x": "1,2", "y": "+"},
        "params": {"path": "a b/c"},
        "body": "00ff",
    }
    assert (headers["x-some-name"], headers["content-type"], headers["content-length"]) == ("Value", "image/jpeg", "2")


def test_answer_arrives_unchanged(any_app: AzureHost) -> None:
    answer = call(any_app.base_url, "GET", "/v1/open")
    assert (answer.status, answer.body) == (201, b"\x00\xff")
    assert (answer.headers["content-type"], answer.headers["allow"]) == ("image/x-own", "GET, POST")


def test_head_is_answered_without_body(any_app: AzureHost) -> None:
    answer = call(any_app.base_url, "HEAD", "/v1/echo")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", b"")


def test_chunked_body_arrives_empty(any_app: AzureHost) -> None:
    arrived = json.loads(call(any_app.base_url, "POST", "/v1/echo", iter([b"some", b"bytes"])).body)
    assert arrived["body"] == ""
    assert arrived["headers"]["transfer-encoding"] == "chunked"
    assert "content-length" not in arrived["headers"]


def test_body_over_the_limit_is_refused_unread_with_413(any_app: AzureHost) -> None:
    connection = http.client.HTTPConnection(urlsplit(any_app.base_url).netloc, timeout=30)
    connection.putrequest("POST", "/v1/echo")
    connection.putheader("Content-Length", "104857601")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_function_that_raises_is_an_empty_500_and_its_trace_is_logged(any_app: AzureHost) -> None:
    answer = call(any_app.base_url, "GET", "/v1/fail")
    assert (answer.status, answer.body) == (500, b"")
    assert "content-type" not in answer.headers
    assert "RuntimeError: told to fail" in any_app.log.read_text()
    assert call(any_app.base_url, "GET", "/v1/open").status == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/open", id="without the prefix"),
        pytest.param("POST", "/v1/open", id="method that no function has"),
        pytest.param("GET", "/", id="root that no function has"),
        pytest.param("GET", "/admin/host/status", id="reserved"),
    ],
)
def test_request_for_no_function_is_an_empty_404(method: str, path: str, any_app: AzureHost) -> None:
    answer = call(any_app.base_url, method, path)
    assert (answer.status, answer.body) == (404, b"")


def test_requests_run_at_the_same_time(any_app: AzureHost) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: call(any_app.base_url, "GET", "/v1/meet"), range(2)))
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"met")] * 2


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        pytest.param("/v1/echo", {}, 401, id="no key"),
        pytest.param("/v1/echo", {"x-functions-key": "wrong"}, 401, id="wrong key"),
        pytest.param("/v1/echo?code=wrong", {}, 401, id="wrong code"),
        pytest.param("/v1/echo?code=%C3%A9", {}, 401, id="code beyond ASCII"),
        pytest.param("/v1/echo", {"x-functions-key": KEY}, 200, id="key"),
        pytest.param(f"/v1/echo?code={KEY}", {}, 200, id="code"),
        pytest.param("/v1/open", {}, 201, id="anonymous"),
        pytest.param("/v1/none", {}, 404, id="no function"),
    ],
)
def test_keys_are_checked_where_asked_for(target: str, headers: dict[str, str], status: int, guarded_app: AzureHost) -> None:
    assert call(guarded_app.base_url, "GET", target, headers=headers).status == status


def test_random_key_is_printed_and_opens(tmp_path: Path) -> None:
    with azure_host("--script-root", str(WWWROOT), "--enable-auth") as host:
        target = host.startup.split()[-1].removeprefix(host.base_url).replace("/?", "/v1/echo?")
        assert call(host.base_url, "GET", target).status == 200
        assert call(host.base_url, "GET", "/v1/echo").status == 401


def before_the_deadline() -> Iterator[None]:
    """Go on for a while; what is waited for is an event elsewhere, so there is nothing to block on."""
    deadline = time.monotonic() + END_LIMIT_S
    while time.monotonic() < deadline:
        yield
    raise AssertionError("waited in vain")


def open_once_read(pipe: Path) -> int:
    for _ in before_the_deadline():
        with contextlib.suppress(OSError):  # nobody reads yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    raise AssertionError


def wait_until_closed(base_url: str) -> None:
    address, _, port = urlsplit(base_url).netloc.partition(":")
    with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
        for _ in before_the_deadline():
            socket.create_connection((address, int(port)), timeout=END_LIMIT_S).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_the_running_request_end_and_exits_with_0(number: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with azure_host("--script-root", str(WWWROOT)) as host, ThreadPoolExecutor(1) as threads:
        held = threads.submit(call, host.base_url, "GET", f"/v1/hold?pipe={pipe}")
        with os.fdopen(open_once_read(pipe), "w") as writer:
            host.process.send_signal(number)
            wait_until_closed(host.base_url)
            assert not held.done()
            writer.write("let go")
        answer = held.result(timeout=END_LIMIT_S)
        assert (answer.status, answer.body) == (200, b"let go")
        assert host.process.wait(END_LIMIT_S) == 0


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({"host.json": "{}"}, "Expected function_app.py with a FunctionApp", id="no app"),
        pytest.param(
            {"host.json": "{}", "function_app.py": "import no_such_module"}, "No module named 'no_such_module'", id="import fails"
        ),
        pytest.param({"host.json": "{}", "function_app.py": "raise ValueError('because')"}, "ValueError: because", id="import raises"),
        pytest.param({}, "host.json", id="no host.json"),
    ],
)
def test_app_that_cannot_be_indexed_ends_the_host_with_1_and_the_reason(files: dict[str, str], reason: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with tempfile.TemporaryFile("w+") as log:
        with start(log, "--script-root", str(tmp_path), environ={}, folder=REPOSITORY) as process:
            assert process.wait(END_LIMIT_S) == 1
        log.seek(0)
        assert reason in log.read()


def test_route_prefix_is_api_where_host_json_sets_none(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text((WWWROOT / "function_app.py").read_text())
    with azure_host("--script-root", str(tmp_path)) as host:
        assert call(host.base_url, "GET", "/api/open").status == 201
