"""`infra/mlflow`: what can be known of the compose file without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.tracking import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "infra" / "mlflow"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML: `make test` installs it")
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return found


def test_images_are_pinned_and_services_say_how_they_are(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        assert "healthcheck" in service or "build" in service, name
    assert {volume.partition(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])} == set(
        compose["volumes"]
    )


def test_no_password_has_a_default_and_all_are_in_the_example() -> None:
    text, example = (FOLDER / "compose.yaml").read_text(), (FOLDER / ".env.example").read_text()
    given = dict(line.split("=", 1) for line in example.splitlines() if "=" in line and not line.startswith("#"))
    secrets = {name for name in given if re.search("PASSWORD|KEY", name)}
    assert len(secrets) == 3
    assert {given[name] for name in secrets} == {""}
    used = re.findall(r"\${(\w+)(:[?-])?", text)
    assert {name for name, _ in used} == set(given)
    assert {name for name, how in used if how == ":?"} == secrets
    assert {how for name, how in used if name in secrets} == {":?"}


def test_server_is_the_version_that_trains_and_runs_as_the_tests_run_it(compose: dict[str, Any]) -> None:
    dockerfile, locked = (FOLDER / "Dockerfile").read_text(), (ROOT / "requirements" / "dev.txt").read_text()
    for name in ("mlflow", "psycopg2-binary", "boto3"):
        (version,) = re.findall(rf"{name}==([0-9.]+)", dockerfile)
        assert f"\n{name}=={version} " in locked, f"{name} of infra/mlflow/Dockerfile is not that of requirements/dev.txt"
    (version,) = re.findall(r"mlflow==([0-9.]+)", dockerfile)
    assert {service["image"] for service in compose["services"].values() if "build" in service} == {f"pneumonia-mlflow:{version}"}
    server = compose["services"]["server"]
    assert SETTINGS.items() <= server["environment"].items()
    assert server["environment"]["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql+psycopg2://")
    assert server["ports"][0].startswith("${MLFLOW_BIND:-127.0.0.1}:")
