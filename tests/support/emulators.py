"""Object stores that run here: Azurite and moto as processes, and a stand-in of Google's XML API in this one.

`gcp-storage-emulator`, the emulator of Google's storage that can be installed, speaks the JSON API alone, which obstore does not use.
"""

import base64
import hashlib
import hmac
import http.client
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.gcs import XmlApi
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
AZURITE = ROOT / ".emulators" / "node_modules" / ".bin" / "azurite-blob"
START_LIMIT_S = 90
BUCKET = "store"
# The account and the key that every Azurite has, as its makers publish them.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Emulator(NamedTuple):
    """A running store: what `PNEUMONIA_STORE` would be, and what its library reads from the environment."""

    url: str
    environ: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None


def azurite_command(port: int, folder: Path | None) -> list[str]:
    """Return how to start Azurite; skip the test where it is not installed."""
    if not AZURITE.exists() or shutil.which("node") is None:
        pytest.skip("needs Azurite: `make emulators` installs it where there is npm")
    keep = ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    return [str(AZURITE), *keep, *options]


@contextmanager
def azurite(folder: Path | None = None, port: int | None = None) -> Iterator[Emulator]:
    """Run Azurite, in memory or on a folder, with a container."""
    port = port or free_port()
    with running(azurite_command(port, folder), port) as process:
        _create_container(port)
        environ = {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/{ACCOUNT}",
        }
        yield Emulator(f"az://{BUCKET}/some/prefix", environ, process)


@contextmanager
def moto() -> Iterator[Emulator]:
    """Run moto's server, an S3 in memory, with a bucket."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("needs moto: `make test` installs it")
    port = free_port()
    with running([sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port) as process:
        status = _ask(port, "PUT", f"/{BUCKET}", {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"})
        assert status == 200, status
        environ = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
        }
        yield Emulator(f"s3://{BUCKET}/some/prefix", environ, process)


@contextmanager
def google() -> Iterator[Emulator]:
    """Serve the part of Google's XML API that obstore uses."""
    with XmlApi(BUCKET) as api:
        yield Emulator(f"gs://{BUCKET}/some/prefix", _google_environ(api.port))


@contextmanager
def durable(folder: Path, port: int) -> Iterator[Emulator]:
    """Serve the same in a process of its own that may be killed at any moment and started again: what it acknowledged is on the disk."""
    with running(
        [sys.executable, "-m", "tests.support.gcs", str(port), BUCKET, str(folder)], port, {**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        yield Emulator(f"gs://{BUCKET}/some/prefix", _google_environ(port), process)


def _google_environ(port: int) -> Mapping[str, str]:
    account = {"gcs_base_url": f"http://127.0.0.1:{port}", "disable_oauth": True}
    return {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps({**account, "client_email": "", "private_key": "", "private_key_id": ""})}


@contextmanager
def running(
    command: list[str], port: int, environ: Mapping[str, str] | None = None, path: str = "/"
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends; then SIGTERM by its process id."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=tempfile.gettempdir(), env=environ)
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while time.monotonic() < deadline:
                try:
                    _ask(port, "GET", path)
                    break
                except OSError:
                    if process.poll() is not None:
                        log.seek(0)
                        raise AssertionError(f"The emulator ended: {log.read().decode()}") from None
                    time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()  # else it would outlive its test, and fail the next one by its warning
                process.wait()
                raise


def _create_container(port: int) -> None:
    """Sign one request by hand: Microsoft's library is not needed for anything else."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    resource = f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    text = "PUT\n" + "\n" * 11 + f"x-ms-date:{now}\nx-ms-version:2021-08-06\n{resource}"
    signature = base64.b64encode(hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": now, "x-ms-version": "2021-08-06", "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
    status = _ask(port, "PUT", f"/{ACCOUNT}/{BUCKET}?restype=container", headers)
    assert status in (201, 409), status  # 409: Azurite was started again on a folder that has it


def _ask(port: int, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        return connection.getresponse().status
    finally:
        connection.close()
