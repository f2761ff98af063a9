"""Cloud Run's command: the framework's application in gunicorn, loaded before its first request, as nobody."""

import os
import subprocess
import sys

import pytest

from function_gcp import serve
from tests.contract.doors import Ask
from tests.image import servers
from tests.image.engines import ROOT
from tests.image.servers import WAYS
from tests.support.ports import free_port


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Root's calls, noted in the place of the real ones."""
    calls: list[tuple[str, object]] = []
    for name in ("setgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda value, name=name: calls.append((name, value)))
    return calls


def test_port_and_threads_reach_gunicorn() -> None:
    arguments = serve.gunicorn_arguments("127.0.0.1", 8123, 3)

    assert {"--bind=127.0.0.1:8123", "--workers=1", "--threads=3", "--timeout=0", "--no-control-socket"} <= set(arguments)


def test_root_becomes_nobody_groups_first(monkeypatch: pytest.MonkeyPatch, refusing: list[tuple[str, object]]) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)

    serve.leave_root(serve.NOBODY)

    assert refusing == [("setgroups", []), ("setgid", serve.NOBODY), ("setuid", serve.NOBODY)]


@pytest.mark.parametrize(("uid", "user"), [(1000, serve.NOBODY), (0, 0)])
def test_who_is_not_root_or_asks_to_stay_stays(
    monkeypatch: pytest.MonkeyPatch, refusing: list[tuple[str, object]], uid: int, user: int
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: uid)

    serve.leave_root(user)

    assert refusing == []


def test_root_that_may_not_become_another_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_groups: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "setgroups", refuse)

    with pytest.raises(SystemExit, match="start the container as that user"):
        serve.leave_root(serve.NOBODY)


def test_a_port_that_is_none_is_told_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "function_gcp.serve"],
        cwd=ROOT,
        env={**servers.clean_environ(), "PORT": "http"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "invalid int value: 'http'" in done.stderr


def test_port_comes_from_the_platform(picture: bytes) -> None:
    port = free_port()
    command = [part for part in WAYS["google"].bare(port) if not part.startswith("--port")]
    with servers.serving(command, port, {**servers.clean_environ(), "PORT": str(port)}) as served:
        answer = served.door.ask(Ask("POST", "/predict", picture))

    assert answer.status == 200


def test_model_is_loaded_before_the_first_request() -> None:
    with servers.bare("google") as served:
        answer = served.door.ask(Ask("GET", "/status"))

    assert b'"predictions_served":0' in answer.body
    assert b'"model":{"name":' in answer.body


@pytest.fixture
def picture() -> bytes:
    from core import phantom

    return phantom.jpeg()
