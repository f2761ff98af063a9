"""checkov finds nothing in infra/ and the Dockerfile but what infra/checkov.yaml excuses with a reason."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra import tools

pytestmark = pytest.mark.infra
CONFIGURATION = tools.ROOT / "infra" / "checkov.yaml"
EXCUSE = re.compile(r"^  - (CKV\w+)( # \S.{15,})?$", re.MULTILINE)
DOCKERFILE = tools.ROOT / "Dockerfile"


def checkov(*arguments: str, folder: Path = tools.ROOT) -> list[dict[str, Any]]:
    """Run checkov without its configuration and return a report for each framework."""
    command = [str(tools.infra_python()), "-m", "checkov.main", *arguments, "--skip-download", "--quiet", "--compact", "--output", "json"]
    environ = {**os.environ, "LOG_LEVEL": "ERROR", "CKV_IGNORE_HIDDEN_DIRECTORIES": "true"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    reports = json.loads(done.stdout)
    return reports if isinstance(reports, list) else [reports]


def findings(reports: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return what failed, by check: where."""
    found: dict[str, set[str]] = {}
    for report in reports:
        for each in report["results"]["failed_checks"]:
            found.setdefault(each["check_id"], set()).add(each["resource"])
    return found


def excuses() -> dict[str, str]:
    text = CONFIGURATION.read_text("utf-8").partition("skip-check:\n")[2]
    return {check: reason.removeprefix(" # ") for check, reason in EXCUSE.findall(text)}


@pytest.fixture(scope="module")
def reports() -> list[dict[str, Any]]:
    return checkov("--directory", "infra", "--framework", "terraform", "bicep")


def test_checkov_understood_every_file(reports: list[dict[str, Any]]) -> None:
    assert {report["check_type"] for report in reports} == {"terraform", "bicep"}
    assert [report["summary"]["parsing_errors"] for report in reports] == [0, 0]
    assert all(report["summary"]["resource_count"] > 40 for report in reports)


def test_nothing_is_found_that_is_not_excused(reports: list[dict[str, Any]]) -> None:
    assert {check: places for check, places in findings(reports).items() if check not in excuses()} == {}


def test_every_excuse_is_needed_and_has_a_reason(reports: list[dict[str, Any]]) -> None:
    of_the_clouds = {check: reason for check, reason in excuses().items() if not check.startswith("CKV_DOCKER")}

    assert set(of_the_clouds) - set(findings(reports)) == set()
    assert [check for check, reason in excuses().items() if not reason] == []


def test_nothing_is_found_in_the_dockerfile() -> None:
    if not DOCKERFILE.exists():
        pytest.skip("needs the Dockerfile, which this checkout does not have")
    found = findings(checkov("--file", "Dockerfile", "--framework", "dockerfile"))

    assert {check: places for check, places in found.items() if check not in excuses()} == {}


def test_an_open_bucket_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('resource "google_storage_bucket" "a" {\n  name     = "a"\n  location = "EU"\n}\n')

    assert {"CKV_GCP_29", "CKV_GCP_114"} <= set(findings(checkov("--directory", ".", "--framework", "terraform", folder=tmp_path)))
