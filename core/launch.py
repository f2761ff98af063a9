"""Who runs a retraining: nobody, a process of its own on this machine, or a job service that a door brings along.

A door hands its launchers to `core.bootstrap`, which chooses by the setting. Called by `core.endpoints`.
"""

import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from core import errors
from core.settings import Settings

_GRACE_S: Final = 0.2  # a command that is refused at once has ended by then


class Launcher(Protocol):
    """Starts what runs a job; that takes the job from the store by itself."""

    def launch(self, job_id: str) -> None:
        """Start a worker for the job and return at once.

        Raises:
            errors.LauncherFailed: none could be started.
        """
        ...


Factory = Callable[[Settings, Mapping[str, str]], Launcher]
"""From the settings and the environment, where a platform tells of its identity service, to a launcher."""


def arguments(settings: Settings, job_id: str) -> list[str]:
    """Return the command that runs a job, word by word."""
    return [*shlex.split(settings.retrain_command), "--job", job_id]


def choose(settings: Settings, environ: Mapping[str, str], launchers: Mapping[str, Factory]) -> Launcher | None:
    """Return the launcher that the settings name, None where they name none.

    Raises:
        errors.InvalidSettings: this door has no such launcher, or it lacks a setting.
    """
    if settings.launcher == "none":
        return None
    known: dict[str, Factory] = {"process": Process, **launchers}
    if settings.launcher not in known:
        raise errors.InvalidSettings(
            f"Invalid PNEUMONIA_LAUNCHER: Expected one of {', '.join(('none', *known))} behind this door. Received: {settings.launcher!r}."
        )
    return known[settings.launcher](settings, environ)


class Process:
    """Runs jobs on this machine, each in a process that outlives this one. What it says is kept in a file for each job."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take the command from the settings; the process gets this environment."""
        self._settings = settings
        self._environ = dict(environ)

    def launch(self, job_id: str) -> None:
        """Start the command; see `Launcher`. One that fails within a moment is told of, a later failure shows in the job."""
        import subprocess  # 12 ms that no cold start should pay

        command = arguments(self._settings, job_id)
        path = self.log_file(job_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environ, start_new_session=True
                )
        except OSError as error:
            raise errors.LauncherFailed(f"Expected to start {command[0]!r} for the retraining. Received: {error.strerror}.") from error
        try:
            code = process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            threading.Thread(target=process.wait, daemon=True, name="reaper").start()  # or it stays a zombie until we end
            return
        if code:
            raise errors.LauncherFailed(f"Expected {command[0]!r} to run the retraining. Received: it ended at once with status {code}.")

    def log_file(self, job_id: str) -> Path:
        """Return where the output of a job goes: beside a local store's objects, otherwise among the temporary files."""
        import tempfile

        parts = urlsplit(self._settings.store or "")
        folder = Path(unquote(parts.path)) if parts.scheme == "file" else Path(tempfile.gettempdir()) / "pneumonia"
        return folder / "logs" / f"retrain-{job_id}.log"
