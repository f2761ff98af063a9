"""`pneumonia models`, as a person types it: on a store, and by asking a service that really runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from core import promotions
from core.store import Store
from tests.contract.doors import HttpDoor, google
from tests.support import living, packages

BAKED = packages.version()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound package, version 2.0.0."""
    return living.package(tmp_path_factory.mktemp("made"), "2.0.0", 2.0)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PNEUMONIA_STORE", (tmp_path / "store").as_uri())
    return living.open_folder(tmp_path / "store")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_push_activate_roll_back(store: Store, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "push", str(made)]) == 0
    assert "pushed pneumonia-mobilenetv2 2.0.0" in said(capsys)
    assert promotions.latest(store) is None

    assert main(["models", "activate", "2.0.0", "--reason", "a new scanner"]) == 0
    assert said(capsys) == f"promotion 1: 2.0.0 is active, after {BAKED}\n"

    assert main(["models", "rollback", "--reason", "worse"]) == 0
    assert said(capsys) == f"promotion 2: {BAKED} is active, after 2.0.0\n"

    assert main(["models", "activate", "--previous"]) == 0
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    listed = said(capsys)
    assert re.search(r"^2\.0\.0 +active$", listed, re.MULTILINE)
    assert re.search(rf"^{re.escape(BAKED)}$", listed, re.MULTILINE)
    assert re.search(rf"^ +1  .*  2\.0\.0  +{re.escape(BAKED)}  +by hand: a new scanner$", listed, re.MULTILINE)
    assert [entry.version for entry in promotions.history(store, 9)] == ["2.0.0", BAKED, "2.0.0"]


def test_activating_what_is_active_writes_nothing(store: Store, made: Path) -> None:
    main(["models", "push", str(made)])

    assert [main(["models", "activate", "2.0.0"]) for _ in range(2)] == [0, 0]

    assert len(promotions.history(store, 9)) == 1


def test_diff_puts_figures_and_operating_points_side_by_side(store: Store, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "push", str(made)])
    main(["models", "push", str(packages.baked())])
    capsys.readouterr()

    assert main(["models", "diff", BAKED, "2.0.0"]) == 0

    rows = {line.split("  ")[0]: line for line in said(capsys).splitlines()}
    assert rows["temperature"].endswith("2  *")
    assert rows["auroc"].count("(") == 2
    assert not rows["auroc"].endswith("*")
    assert "balanced: threshold" in rows
    assert "balanced: sensitivity" in rows


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["activate", "none"], "unknown_version"),
        (["diff", "none", "none"], "unknown_version"),
        (["rollback"], "unknown_version"),
        (["push", "nowhere"], "model_unavailable"),
        (["list", "--url", "ftp://somewhere"], "invalid_url"),
        (["list", "--url", "http://127.0.0.1:9"], "unreachable"),
    ],
)
@pytest.mark.usefixtures("store")
def test_what_cannot_be_done_is_said(arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *arguments]) == 2

    assert capsys.readouterr().err.startswith(f"error: {code}: Expected ")


def test_other_content_under_a_version_is_refused(store: Store, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "push", str(made)])

    assert main(["models", "push", str(living.package(tmp_path, "2.0.0", 3.0))]) == 2

    assert capsys.readouterr().err.startswith("error: version_exists: ")


def test_package_that_fails_its_self_test_is_not_activated(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    living.damage_version(store, tmp_path / "broken", "6.6.6")

    assert main(["models", "activate", "6.6.6"]) == 2

    assert capsys.readouterr().err.startswith("error: package_refused: ")
    assert promotions.latest(store) is None


def test_without_a_store_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 2

    assert "--store" in capsys.readouterr().err


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[HttpDoor]:
    """A service with a store that has version 2.0.0."""
    folder = tmp_path_factory.mktemp("store")
    from core import models

    models.push(living.open_folder(folder), made)
    with google({"PNEUMONIA_STORE": folder.as_uri(), "PNEUMONIA_ADMIN_TOKEN": living.TOKEN, "PNEUMONIA_API_KEY": "k"}) as opened:
        yield opened


def test_service_is_asked_with_the_secrets_of_the_environment(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["--url", f"http://127.0.0.1:{door.port}"]
    assert main(["models", "list", *there]) == 2
    assert capsys.readouterr().err.startswith("error: unauthorized: ")
    monkeypatch.setenv("PNEUMONIA_API_KEY", "k")
    assert main(["models", "activate", "2.0.0", *there]) == 2
    assert capsys.readouterr().err.startswith("error: admin_unauthorized: ")

    monkeypatch.setenv("PNEUMONIA_ADMIN_TOKEN", living.TOKEN)
    assert main(["models", "activate", "2.0.0", "--reason", "ü & more", *there]) == 0
    assert main(["models", "list", *there]) == 0
    assert main(["models", "rollback", *there]) == 0

    out = said(capsys)
    assert f"promotion 1: 2.0.0 is active, after {BAKED}" in out
    assert "serving: pneumonia-mobilenetv2 2.0.0" in out
    assert "by hand: ü & more" in out
    assert f"promotion 2: {BAKED} is active, after 2.0.0" in out


def test_version_in_a_url_cannot_lead_elsewhere(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PNEUMONIA_ADMIN_TOKEN", living.TOKEN)

    assert main(["models", "activate", "../../status", "--url", f"http://127.0.0.1:{door.port}"]) == 2

    assert capsys.readouterr().err.startswith("error: unknown_")


def test_package_named_for_a_prediction_is_not_replaced_by_the_promoted_one(
    store: Store, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "push", str(made)])
    main(["models", "activate", "2.0.0"])
    main(["phantom", str(tmp_path / "p.jpg")])
    capsys.readouterr()

    assert main(["predict", "--json", str(tmp_path / "p.jpg")]) == 0
    assert '"version":"2.0.0"' in said(capsys)
    assert main(["predict", "--json", "--model", str(packages.baked()), str(tmp_path / "p.jpg")]) == 0
    assert f'"version":"{BAKED}"' in said(capsys)
