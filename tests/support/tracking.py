"""A real `mlflow server` on loopback, on SQLite or on a PostgreSQL cluster of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.emulators import running
from tests.support.ports import free_port

SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # as the compose file has them
DEBIAN = Path("/usr/lib/postgresql")


def _postgres_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; skip the test where there is none."""
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    return found


@contextmanager
def postgres() -> Iterator[str]:
    """Run a cluster in a temporary folder, on a port of its own, with a password; yield its address."""
    initdb, ctl = _postgres_program("initdb"), _postgres_program("pg_ctl")
    as_user: list[str] = []
    if os.geteuid() == 0:  # initdb refuses root
        runuser = shutil.which("runuser")
        if runuser is None:
            pytest.skip("needs runuser, of util-linux, to start PostgreSQL as another user than root")
        as_user = [runuser, "-u", "postgres", "--"]
    port, password = free_port(), "of-the-tests"
    entered_by_all = "/tmp" if as_user else None  # TMPDIR may lie where another user may not look
    with tempfile.TemporaryDirectory(dir=entered_by_all, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        if as_user:
            folder.chmod(0o755)
            shutil.chown(folder, "postgres")
            shutil.chown(folder / "password", "postgres")
        data = folder / "data"

        def run(*command: str) -> None:
            done = subprocess.run([*as_user, *command], cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

        run(initdb, "-D", str(data), "-U", "mlflow", "--auth", "scram-sha-256", "--pwfile", str(folder / "password"), "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        run(ctl, "-D", str(data), "-o", options, "-l", str(folder / "log"), "--wait", "start")
        try:
            yield f"postgresql+psycopg2://mlflow:{password}@127.0.0.1:{port}/postgres"
        finally:
            run(ctl, "-D", str(data), "--mode", "immediate", "--wait", "stop")


@contextmanager
def server(backend: str, artifacts: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Run MLflow's server as infra/mlflow does, artifacts through it; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", backend, "--artifacts-destination", artifacts, "--serve-artifacts"]
    with running(command, port, {**os.environ, **SETTINGS, **environ}, "/health"):
        yield f"http://127.0.0.1:{port}"
