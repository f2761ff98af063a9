"""The walk of docs/walk.md, command by command as the page has them, in a checkout of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.doors import Ask, HttpDoor
from tests.support.ports import free_port

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 900
LATER = 2_000_000_000  # a time stamp that no requirement has yet: nothing is installed anew
SERVE, UPLOAD, RETRAIN, WATCH, SEE, ROLL_BACK, _ = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "walk.md").read_text(), re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The working tree without what git ignores, and both environments, which are this one."""
    if shutil.which("make") is None or shutil.which("curl") is None:
        pytest.skip("needs make and curl: apt-get install make curl")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs git and a checkout: the walk begins with one")
    folder = tmp_path / "checkout"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for environment in (".venv-serve", ".venv"):
        programs = folder / environment / "bin"
        programs.mkdir(parents=True)
        commands = {"python": "", "functions-framework": "-m functions_framework ", "pneumonia": "-m cli.main "}
        for name, module in commands.items():
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
            (programs / name).chmod(0o755)
        (folder / environment / ".ready").touch()
        os.utime(folder / environment / ".ready", (LATER, LATER))
    return folder


@pytest.fixture
def environ(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PNEUMONIA_", "MLFLOW_"))}
    return {**kept, "PYTHONPATH": str(checkout), "PORT": str(free_port())}


@pytest.fixture
def served(checkout: Path, environ: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """The first terminal."""
    with (tmp_path / "served").open("w") as log:
        process = subprocess.Popen(["bash", "-ec", SERVE], cwd=checkout, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            door, deadline = HttpDoor(int(environ["PORT"]), process.pid), time.monotonic() + 120
            while True:
                try:
                    door.ask(Ask("GET", "/health/live"))
                    break
                except OSError:
                    assert process.poll() is None, (tmp_path / "served").read_text()
                    assert time.monotonic() < deadline, (tmp_path / "served").read_text()
                    time.sleep(0.1)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)  # Ctrl+C
            process.wait(30)


def test_the_page_can_be_walked(checkout: Path, environ: dict[str, str], served: None) -> None:
    (token,) = re.findall("export PNEUMONIA_ADMIN_TOKEN=.*\n", UPLOAD)
    assert token in SERVE

    def walk(block: str) -> str:
        """The second terminal: what a block says on standard output."""
        commands = token + block.replace("localhost:8080", f"localhost:{environ['PORT']}")
        done = subprocess.run(
            ["bash", "-ec", commands], cwd=checkout, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        return done.stdout

    assert "\n40 stored\n" in walk(UPLOAD)
    assert walk(RETRAIN).startswith(
        ('{"id":"00000001","state":"queued"', '{"id":"00000001","state":"running"')
    )  # a quick worker has it already
    ended = walk(WATCH)
    assert '"result":"promoted"' in ended, ended
    (version,) = set(re.findall('"result":"promoted".*"version":"([0-9.]+)"', ended))
    seen = walk(SEE)
    assert f'"last_retrained":"{time.strftime("%Y-")}' in seen
    assert f"{version}    active" in seen
    assert re.search(rf'"model":{{"name":"[^"]+","version":"{re.escape(version)}","sha256":"[0-9a-f]+"}},"pneumonia"', seen)
    back = walk(ROLL_BACK)
    before = re.search(rf"promotion 2: (\S+) is active, after {re.escape(version)}\n", back)
    assert before is not None, back
    assert f'"version":"{before[1]}"' in back.partition("\n")[2]
    assert '"reason":"the walk is over"' in back
    (removed,) = re.findall(r"`(rm -r [^`]+)`", (checkout / "docs" / "walk.md").read_text())
    walk(removed)
    assert not (checkout / "runs" / "store").exists()
