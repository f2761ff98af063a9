"""Starts a Container Apps job for a retraining, by Azure Resource Manager and the managed identity of the app.

`POST …/providers/Microsoft.App/jobs/{name}/start?api-version=2024-03-01`. A start that changes the arguments must give the whole container,
so the job's own template is read first. The identity needs `Microsoft.App/jobs/read` and `Microsoft.App/jobs/start/action`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from core import errors, launch, rest
from core.settings import Settings

_API: Final = "https://management.azure.com"
_VERSION: Final = "2024-03-01"
_IDENTITY_VERSION: Final = "2019-08-01"
_ID: Final = re.compile(r"/subscriptions/[^/?#]+/resourceGroups/[^/?#]+/providers/Microsoft\.App/jobs/[^/?#]+")
_TAKEN: Final = ("name", "image", "command", "args", "env", "resources")
"""What a start may say of a container (JobExecutionContainer)."""


class ContainerApps:
    """A Container Apps job whose container's entry point is `pneumonia`."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take the job's id and the addresses from the settings, and the identity service from what the platform says of it.

        Raises:
            errors.InvalidSettings: the id is missing or no job's.
        """
        name = settings.launcher_job or ""
        if not _ID.fullmatch(name):
            raise errors.InvalidSettings(
                "Invalid PNEUMONIA_LAUNCHER_JOB: Expected /subscriptions/…/resourceGroups/…/providers/Microsoft.App/jobs/…. "
                f"Received: {name[:64]!r}."
            )
        self._settings = settings
        self._job_url = f"{settings.launcher_url or _API}{name}"
        self._token_url = settings.launcher_token_url or environ.get("IDENTITY_ENDPOINT", "")
        self._token_header = environ.get("IDENTITY_HEADER", "")
        self._client_id = environ.get("AZURE_CLIENT_ID")

    def launch(self, job_id: str) -> None:
        """Start an execution with the job's arguments; see `core.launch.Launcher`."""
        headers = {"Authorization": f"Bearer {self._token()}"}
        job = rest.call("GET", f"{self._job_url}?api-version={_VERSION}", headers)
        try:
            (container, *others) = job["properties"]["template"]["containers"]
            changed = {**container, "args": launch.arguments(self._settings, job_id)[1:]}
            containers = [{key: value for key, value in each.items() if key in _TAKEN and value is not None} for each in (changed, *others)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise errors.LauncherFailed("Expected the job to have a container in its template. Received: none.") from error
        rest.call("POST", f"{self._job_url}/start?api-version={_VERSION}", headers, {"containers": containers})

    def _token(self) -> str:
        if not self._token_url:
            raise errors.LauncherFailed("Expected a managed identity (IDENTITY_ENDPOINT). Received: none; assign one to the app.")
        query: dict[str, Any] = {"api-version": _IDENTITY_VERSION, "resource": f"{_API}/"}
        if self._client_id:  # of a user-assigned identity; without it the system's is meant
            query["client_id"] = self._client_id
        return rest.text(
            rest.call("GET", f"{self._token_url}?{urlencode(query)}", {"X-IDENTITY-HEADER": self._token_header}), "access_token"
        )


LAUNCHERS: Final[Mapping[str, launch.Factory]] = {"container-apps": ContainerApps}
