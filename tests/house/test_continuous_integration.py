"""`.ci/run` with a make that only says what it was asked: what fails beside fails the run, and pytest's summary comes last."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = """#!/bin/sh
echo "make $*"
case "$*" in *"${FAILS:-nothing}"*) echo "the reason"; exit 2;; esac
[ "$1" != test ] || echo "=== 1 passed ==="
"""
# A test run that has started a server; the lint fails once it is there.
SERVING = """#!/bin/sh
case "$*" in
*test-serving*) sh -c 'echo $$ >"$SERVER.new"; mv "$SERVER.new" "$SERVER"; exec sleep 300' & wait;;
check) until [ -e "$SERVER" ]; do sleep 0.05; done; exit 2;;
esac
"""

# What is looked at when the other tests have passed, and what make is given for it.
LATER = {
    "serving": "test-serving PYTHON=python3.13",
    "lab-one": "test PYTEST_ARGS=tests/training --ignore-glob='*/test_[m-z]*'",
    "lab-two": "test PYTEST_ARGS=tests/training --ignore-glob='*/test_[a-l]*'",
}


def run(folder: Path, fails: str, make: str = MAKE) -> "subprocess.CompletedProcess[str]":
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    programs = folder / "bin"
    programs.mkdir()
    for name, text in (("make", make), ("python3.13", "#!/bin/sh\n"), ("apt-get", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "FAILS": fails, "SERVER": str(folder / "server")}
    return subprocess.run([folder / ".ci" / "run"], env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_pytests_summary_comes_last(tmp_path: Path) -> None:
    done = run(tmp_path, "nothing")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "=== 1 passed ==="
    assert "test-serving PYTHON=python3.13" in done.stdout


def test_every_test_is_run_once() -> None:
    """Four calls of `make test`: the lab's folder in two halves, and the others by whether they compare times."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    given = [shlex.split(line)[-1].removeprefix("PYTEST_ARGS=") for line in script.splitlines() if "make test PYTEST_ARGS" in line]
    measuring = ["tests/browser", "tests/contract", "tests/core"]

    halves = [LATER[name].partition("=")[2] for name in ("lab-one", "lab-two")]
    assert given == [*halves, "--ignore=tests/training -m 'not measures'", f"-m measures {' '.join(measuring)}"]
    left_out = [shlex.split(half)[1].removeprefix("--ignore-glob=") for half in halves]
    for path in (ROOT / "tests" / "training").rglob("test_*.py"):
        assert sorted(fnmatch(str(path), pattern) for pattern in left_out) == [False, True], path
    marked = [path for path in (ROOT / "tests").rglob("*.py") if "mark.measures\n" in path.read_text("utf-8")]
    assert {path.relative_to(ROOT).parent.as_posix() for path in marked} == set(measuring)


@pytest.mark.parametrize("name", LATER)
def test_what_was_left_out_beside_is_told(tmp_path: Path, name: str) -> None:
    left_out = "SKIPPED [1] tests/training/a.py:1: needs real pictures"
    done = run(tmp_path, "nothing", MAKE + f'case "$*" in *"{LATER[name]}"*) echo "{left_out}"; echo "=== 2 passed ===";; esac\n')

    assert done.returncode == 0, done.stderr
    assert left_out in done.stdout
    assert f"Done: {name}. === 2 passed ===" in done.stdout


def test_what_tests_need_is_installed_before_two_may_ask_for_it() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    assert script.index("\nmake .venv/.ready\n") < script.index("\nbeside lab-one")


@pytest.mark.parametrize("target", [".venv/.ready", "check", "infra-tools", "workflows", "not measures"])
def test_what_fails_ends_the_run_with_its_reason(tmp_path: Path, target: str) -> None:
    done = run(tmp_path, target)

    assert done.returncode != 0
    assert "the reason" in done.stdout
    assert "passed" not in done.stdout


@pytest.mark.parametrize("name", LATER)
def test_what_fails_beside_the_other_tests_ends_the_run_with_its_reason(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, LATER[name])

    assert done.returncode != 0
    assert done.stdout.splitlines()[-3:] == [f"make {LATER[name]}", "the reason", f"Failed: {name}"]


def alive(pid: int) -> bool:
    """Whether a process runs: one that has ended and that nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_that_ends_early_leaves_no_server_behind(tmp_path: Path) -> None:
    done = run(tmp_path, "nothing", SERVING)

    assert done.returncode == 2, done.stderr
    pid, deadline = int((tmp_path / "server").read_text()), time.monotonic() + 10
    try:
        while alive(pid):
            assert time.monotonic() < deadline, "The server that a test started is still there."
            time.sleep(0.05)
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
