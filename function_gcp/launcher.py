"""Starts a Cloud Run job for a retraining, by the Cloud Run Admin API v2 and the identity of the service.

`POST https://run.googleapis.com/v2/projects/*/locations/*/jobs/*:run`; the identity needs `run.jobs.run` and `run.jobs.runWithOverrides`.
"""

import re
from collections.abc import Mapping
from typing import Final

from core import errors, launch, rest
from core.settings import Settings

_API: Final = "https://run.googleapis.com"
_METADATA: Final = "http://metadata.google.internal"
_IDENTITY_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
_NAME: Final = re.compile("projects/[^/:?#]+/locations/[^/:?#]+/jobs/[^/:?#]+")


class CloudRun:
    """A Cloud Run job whose container's entry point is `pneumonia`."""

    def __init__(self, settings: Settings, _environ: Mapping[str, str]) -> None:
        """Take the job's name and the addresses from the settings.

        Raises:
            errors.InvalidSettings: the name is missing or no job's.
        """
        name = settings.launcher_job or ""
        if not _NAME.fullmatch(name):
            raise errors.InvalidSettings(
                f"Invalid PNEUMONIA_LAUNCHER_JOB: Expected projects/…/locations/…/jobs/…. Received: {name[:64]!r}."
            )
        self._settings = settings
        self._run_url = f"{settings.launcher_url or _API}/v2/{name}:run"
        self._token_url = f"{settings.launcher_token_url or _METADATA}{_IDENTITY_PATH}"

    def launch(self, job_id: str) -> None:
        """Start an execution with the job's arguments; see `core.launch.Launcher`."""
        token = rest.text(rest.call("GET", self._token_url, {"Metadata-Flavor": "Google"}), "access_token")
        arguments = launch.arguments(self._settings, job_id)[1:]
        body = {"overrides": {"containerOverrides": [{"args": arguments}], "taskCount": 1}}
        rest.call("POST", self._run_url, {"Authorization": f"Bearer {token}"}, body)


LAUNCHERS: Final[Mapping[str, launch.Factory]] = {"cloud-run": CloudRun}
