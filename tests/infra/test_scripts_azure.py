"""`make push`, `deploy-azure` and `destroy-azure`, argument by argument, against recorded fakes."""

import json
from pathlib import Path

import pytest

from tests.infra import plays
from tests.infra import plays_azure as play
from tests.infra.plays import run
from tests.support.fakes import Stage


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return plays.filled_in(tmp_path / "checkout", play.PARAMETERS, play.USING)


def test_secrets_are_on_no_command_line_and_not_printed(place: Path) -> None:
    calls = play.deploy(first=True)
    put = next(number for number, one in enumerate(calls) if "put" in one.argv)

    done = run(place, "deploy-azure YES=1", calls)

    token = json.loads(done.stdin[put])["properties"]["value"]
    assert len(token) == 64
    assert set(token) <= set("0123456789abcdef")
    for secret in (token, play.ACCESS):
        assert secret not in done.out + done.err + str(done.calls)
        assert sum(secret in text for text in done.stdin) == 1
    assert not any(token in file.read_text(errors="replace") for file in place.rglob("*") if file.is_file())


@pytest.mark.parametrize("target", ["deploy-azure", "destroy-azure", "push TO=azure"])
def test_without_the_flag_it_says_what_it_would_do_and_does_nothing(place: Path, target: str) -> None:
    calls = [*play.check(True), *([play.found(True)[0]] if target == "destroy-azure" else [])]

    done = run(place, target, calls)

    assert done.code == 0
    assert done.calls == [one.argv for one in calls]  # it looked, and changed nothing
    assert f"Nothing was done. To do it: make {target} YES=1" in done.out
    for said in (play.REGISTRY,) if target.startswith("push") else (play.SUBSCRIPTION, plays.ACCOUNT, play.GROUP):
        assert said in done.out
    assert "Costs money" in done.out or "destroy" in target


@pytest.mark.parametrize("uploads", [False, True], ids=["keeping the uploads", "uploads as well"])
def test_destroy_deletes_what_was_asked_for(place: Path, uploads: bool) -> None:
    calls = play.destroy(uploads)

    done = run(place, f"destroy-azure YES=1 UPLOADS={'delete' if uploads else 'keep'}", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err
    assert ("ALL UPLOADS" in done.out) == uploads
    assert ("Left over" in done.out) == (not uploads)


def test_destroy_says_when_the_vault_keeps_its_name(place: Path) -> None:
    calls = play.destroy(uploads=True)

    done = run(place, "destroy-azure YES=1 UPLOADS=delete", [*calls[:-1], calls[-1]._replace(code=1)])

    assert done.code == 0
    assert f"The vault {play.VAULT} keeps its name" in done.out


def test_destroy_of_nothing_is_said(place: Path) -> None:
    absent = play.check(there=False)

    done = run(place, "destroy-azure YES=1", [*absent, absent[-1]])

    assert "error: Expected the resource group rg-pneumonia. Received: none." in done.err


@pytest.mark.parametrize("hosting", ["containerApps", "premium"])
def test_host_key_alone_is_printed(place: Path, hosting: str) -> None:
    calls = play.key(hosting)

    done = run(place, "infra/scripts/key-azure.sh", calls)

    assert (done.code, done.calls) == (0, [one.argv for one in calls]), done.err
    assert done.out == f"{play.KEY}\n"


def test_host_key_that_is_not_there_is_said(place: Path) -> None:
    calls = play.key("containerApps")

    done = run(place, "infra/scripts/key-azure.sh", [*calls[:-1], calls[-1]._replace(says="")])

    assert done.code != 0
    assert "Wake it" in done.err


def test_push_before_there_is_a_registry_is_said(place: Path) -> None:
    done = run(place, "push TO=azure YES=1", play.check(there=False))

    assert "error: Expected a registry" in done.err
    assert "make deploy-azure" in done.err


def test_missing_az_is_named_with_the_way_to_it(place: Path) -> None:
    done = Stage(place.parent / "bare", without=("az",)).run(["make", "deploy-azure", "YES=1"], [], place, {"COMMIT": plays.COMMIT})

    assert "error: Expected az on the PATH. Received: none. See https://" in done.err


def test_nobody_logged_in_is_said(place: Path) -> None:
    done = run(place, "deploy-azure YES=1", [play.LOGGED_IN[0]._replace(says="", code=1)])

    assert "Log in: az login" in done.err


def test_no_parameters_is_said_with_the_way_to_begin(place: Path) -> None:
    (place / "infra" / "azure" / "main.bicepparam").unlink()

    done = run(place, "deploy-azure YES=1", [])

    assert "cp infra/azure/example.bicepparam infra/azure/main.bicepparam" in done.err
