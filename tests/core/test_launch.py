"""Launchers are chosen by a setting; a process of its own runs a job and outlives who started it."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core import errors, launch
from core.settings import Settings


def settings(tmp_path: Path, command: str) -> Settings:
    return Settings(launcher="process", store=tmp_path.as_uri(), retrain_command=command)


def wait_for(path: Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text()
        threading.Event().wait(0.02)
    raise AssertionError(f"{path} did not come")


def test_process_gets_the_job_and_its_output_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("import os, sys; print(sys.argv[1:], os.environ['GIVEN'])")
    launcher = launch.Process(settings(tmp_path, f"{sys.executable} {tmp_path / 'run.py'}"), {"GIVEN": "yes"})
    launcher.launch("00000007")

    assert wait_for(tmp_path / "logs" / "retrain-00000007.log") == "['--job', '00000007'] yes\n"


def test_process_outlives_who_started_it(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import os, pathlib, sys, time\n"
        "while os.getppid() == int(sys.argv[1]): time.sleep(0.01)\n"
        f"pathlib.Path({str(tmp_path / 'done')!r}).write_text('done\\n')\n"
    )
    code = (
        "import os, sys; from core import launch; from core.settings import Settings\n"
        f"settings = Settings(store={tmp_path.as_uri()!r}, retrain_command=f'{sys.executable} {tmp_path / 'run.py'} {{os.getpid()}}')\n"
        "launch.Process(settings, os.environ).launch('1')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})

    assert wait_for(tmp_path / "done") == "done\n"


@pytest.mark.parametrize("command", ["/nowhere/pneumonia retrain", f"{sys.executable} -c 'raise SystemExit(3)'"])
def test_command_that_cannot_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(launch, "_GRACE_S", 20.0)

    with pytest.raises(errors.LauncherFailed, match=r"Received: (No such file|it ended at once with status)"):
        launch.Process(settings(tmp_path, command), os.environ).launch("1")


def test_launcher_is_that_of_the_setting() -> None:
    assert launch.choose(Settings(), {}, {}) is None
    assert isinstance(launch.choose(Settings(launcher="process"), {}, {}), launch.Process)
    given = launch.Process(Settings(), {})
    assert launch.choose(Settings(launcher="cloud-run"), {}, {"cloud-run": lambda settings, environ: given}) is given
    with pytest.raises(errors.InvalidSettings, match=r"none, process behind this door.*'cloud-run'"):
        launch.choose(Settings(launcher="cloud-run"), {}, {})


def test_output_of_a_job_on_a_distant_store_goes_to_a_temporary_file() -> None:
    path = launch.Process(Settings(store="gs://bucket/prefix"), {}).log_file("1")

    assert path.name == "retrain-1.log"
    assert "bucket" not in str(path)
