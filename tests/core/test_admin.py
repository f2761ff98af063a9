"""Routes that change something: off without a token, shut to a wrong one, which is compared in constant time."""

import hmac
from pathlib import Path

import pytest

from core import promotions
from core.bootstrap import bootstrap
from core.routes import ROUTES
from tests.support import living, packages
from tests.support.requests import read

VERSION = packages.version()


def test_without_a_token_the_routes_are_off_whatever_is_sent(tmp_path: Path) -> None:
    service = bootstrap({"PNEUMONIA_STORE": tmp_path.as_uri()})

    for headers in ({}, {"x-admin-token": ""}, {"x-admin-token": "None"}):
        response = service.handle(living.activation(VERSION, headers))
        assert (response.status, read(response)["code"]) == (403, "admin_routes_off")

    assert promotions.latest(living.open_folder(tmp_path)) is None


WRONG = {
    "none": {},
    "empty": {"x-admin-token": ""},
    "another": {"x-admin-token": "another"},
    "longer": {"x-admin-token": living.TOKEN + "x"},
    "shorter": {"x-admin-token": living.TOKEN[:-1]},
    "not UTF-8": {"x-admin-token": "\udc80"},
    "in the header of the platform": {"authorization": f"Bearer {living.TOKEN}"},
    "the API key": {"x-admin-token": "k"},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
def test_wrong_token_changes_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    service = living.serve(tmp_path, api_key="k")

    response = service.handle(living.activation(VERSION, headers))

    assert (response.status, read(response)["code"]) == (401, "admin_unauthorized")
    assert response.headers["WWW-Authenticate"] == "ApiKey"
    assert promotions.latest(living.open_folder(tmp_path)) is None


def test_token_is_compared_whole_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def watched(given: bytes, secret: bytes) -> bool:
        compared.append((given, secret))
        return compare(given, secret)

    compare = hmac.compare_digest
    service = living.serve(tmp_path)
    monkeypatch.setattr(hmac, "compare_digest", watched)

    assert service.handle(living.activation(VERSION, {"x-admin-token": "a"})).status == 401
    assert service.handle(living.activation(VERSION)).status == 200

    assert compared == [(b"a", living.TOKEN.encode()), (living.TOKEN.encode(), living.TOKEN.encode())]


def test_unknown_version_names_those_that_are_there(tmp_path: Path) -> None:
    service = living.serve(tmp_path)
    living.push(living.open_folder(tmp_path), tmp_path / "made", "2.0.0", 2.0)

    problem = read(service.handle(living.activation("2.0")))

    assert problem["code"] == "unknown_version"
    assert "2.0.0" in problem["detail"]


def test_reason_is_kept_up_to_its_limit(tmp_path: Path) -> None:
    service = living.serve(tmp_path)

    assert read(service.handle(living.activation(VERSION, reason="x" * 500)))["reason"] == "x" * 200


def test_every_route_that_changes_something_is_guarded() -> None:
    changing = {route.path for route in ROUTES if route.method not in ("GET", "HEAD")} - {"/predict", "/preview"}

    assert {route.path for route in ROUTES if route.needs_admin and route.method != "GET"} == changing
