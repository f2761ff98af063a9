"""Who the store takes us for where a platform gives us an identity: token services on loopback, which note what they are asked."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core import errors
from core.store import Patience, open_store
from tests.support import cloud
from tests.support.cloud import Cloud

QUICK = Patience(connect_s=5.0, request_s=20.0, retry_s=1.0, retries=0)
TOKEN = {"access_token": "a-token-of-the-platform", "token_type": "Bearer", "expires_in": 3600, "expires_on": "4102444800"}
BEARER = "Bearer a-token-of-the-platform"


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Nothing of any cloud is set but what a test sets."""
    for name in [name for name in os.environ if name.startswith(("AZURE_", "AWS_", "GOOGLE_", "GCE_", "IDENTITY_", "MSI_"))]:
        monkeypatch.delenv(name)
    with cloud.opened() as opened:
        yield opened


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def asked_for(platform: Cloud, start: str) -> cloud.Asked:
    (found,) = [asked for asked in platform.asked if asked.path.startswith(start)]
    return found


@pytest.mark.parametrize("client", [None, "11111111-2222-3333-4444-555555555555"], ids=["system-assigned", "user-assigned"])
def test_managed_identity_of_azure(platform: Cloud, monkeypatch: pytest.MonkeyPatch, client: str | None) -> None:
    platform.on("GET", "/msi/token", (200, TOKEN))
    set_all(monkeypatch, AZURE_STORAGE_ACCOUNT_NAME="account", AZURE_STORAGE_ENDPOINT=platform.url)
    set_all(monkeypatch, IDENTITY_ENDPOINT=f"{platform.url}/msi/token", IDENTITY_HEADER="of-the-platform")
    if client:
        monkeypatch.setenv("AZURE_CLIENT_ID", client)

    store = open_store("az://container/prefix", QUICK)

    assert store.get("models/none") is None
    assert store.get("models/none") is None
    token = asked_for(platform, "/msi/token")  # once for both
    query = {name: values[0] for name, values in parse_qs(urlsplit(token.path).query).items()}
    assert token.headers["x-identity-header"] == "of-the-platform"
    assert query["resource"].rstrip("/") == "https://storage.azure.com"
    assert query.get("client_id") == client
    blobs = [asked for asked in platform.asked if asked.path.startswith("/container/prefix/models/none")]
    assert [blob.headers["authorization"] for blob in blobs] == [BEARER, BEARER]


def test_workload_identity_of_azure(platform: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    platform.on("POST", "/tenant/oauth2/v2.0/token", (200, TOKEN))
    (tmp_path / "federated").write_text("a-token-of-kubernetes")
    set_all(monkeypatch, AZURE_STORAGE_ACCOUNT_NAME="account", AZURE_STORAGE_ENDPOINT=platform.url, AZURE_AUTHORITY_HOST=platform.url)
    set_all(monkeypatch, AZURE_CLIENT_ID="client", AZURE_TENANT_ID="tenant", AZURE_FEDERATED_TOKEN_FILE=str(tmp_path / "federated"))

    assert open_store("az://container", QUICK).get("models/none") is None

    form = asked_for(platform, "/tenant/").body
    assert form is not None
    assert (form["client_id"], form["client_assertion"]) == ("client", "a-token-of-kubernetes")
    assert asked_for(platform, "/container/models/none").headers["authorization"] == BEARER


def test_metadata_server_of_google(platform: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    platform.on("GET", "/computeMetadata/v1/instance/service-accounts/default/token", (200, TOKEN))
    set_all(monkeypatch, GCE_METADATA_HOST=urlsplit(platform.url).netloc, GOOGLE_BASE_URL=platform.url, HOME=str(tmp_path))

    assert open_store("gs://bucket/prefix", QUICK).get("models/none") is None

    token = asked_for(platform, "/computeMetadata/")
    assert token.headers["metadata-flavor"] == "Google"
    assert asked_for(platform, "/bucket/prefix%2Fmodels%2Fnone").headers["authorization"] == BEARER


def test_identity_that_is_refused_is_told_without_a_secret(platform: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.on("GET", "/msi/token", (403, {"error": "no identity here"}))
    set_all(monkeypatch, AZURE_STORAGE_ACCOUNT_NAME="account", AZURE_STORAGE_ENDPOINT=platform.url)
    set_all(monkeypatch, IDENTITY_ENDPOINT=f"{platform.url}/msi/token", IDENTITY_HEADER="of-the-platform")

    with pytest.raises(errors.StoreUnavailable, match=r"Expected the store to answer\. Received: ") as raised:
        open_store("az://container", QUICK).get("models/none")

    assert "of-the-platform" not in str(raised.value)
    assert [asked.path for asked in platform.asked if asked.path.startswith("/container")] == []
