"""A store that hangs or is down: how long its callers wait, and what they are told."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from core import errors
from core.store import Patience, open_store
from tests.support.ports import free_port
from tests.support.refusals import refuses

IMPATIENT = Patience(connect_s=0.5, request_s=0.5, retry_s=0.4, retries=1)


@pytest.fixture
def hanging() -> Iterator[int]:
    """A port that takes connections and never answers."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


def s3_at(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"ENDPOINT_URL": f"http://127.0.0.1:{port}", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1"}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_store_that_hangs_does_not_hang_its_caller(hanging: int, alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_at(hanging, monkeypatch)

    start = time.monotonic()
    refuses(open_store("s3://store", IMPATIENT))

    assert time.monotonic() - start < 5 * (IMPATIENT.request_s + IMPATIENT.retry_s) + 5


def test_store_that_is_down_is_refused_soon(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_at(free_port(), monkeypatch)

    start = time.monotonic()
    with pytest.raises(errors.StoreUnavailable):
        open_store("s3://store").get("a/b")

    assert time.monotonic() - start < 20


def test_signature_in_a_url_is_not_told(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "somebody")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{free_port()}/somebody")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sv=2021-08-06&sig=s3cret")

    assert "s3cret" not in refuses(open_store("az://store", IMPATIENT))
