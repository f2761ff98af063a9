"""A service that is asked over HTTP by `pneumonia models --url`."""

import http.client
from collections.abc import Mapping

import msgspec

from cli.endpoint import Ask, Endpoint, platform_secrets
from core import errors
from core.contract import Problem

_LIMIT_S = 60.0


class RemoteRefused(errors.PneumoniaError):
    """The service answered with a problem, whose code this error has."""

    code = "remote_refused"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]


class Remote:
    """One service, by its URL."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        """Take the service's URL, and the secrets of this person's environment.

        Raises:
            InvalidUrl: the URL is none that may be asked.
        """
        own = {"X-Admin-Token": environ.get("PNEUMONIA_ADMIN_TOKEN"), "X-API-Key": environ.get("PNEUMONIA_API_KEY")}
        secrets = {name: value for name, value in own.items() if value}
        self._endpoint = Endpoint(url, secrets | platform_secrets(environ), _LIMIT_S)

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body of an answer.

        Raises:
            RemoteRefused: the service refused, with its code.
            Unreachable: it did not answer.
        """
        answer = self._endpoint.ask(Ask(method, path, query=query or {}))
        if answer.status == http.client.OK:
            return answer.body
        try:
            problem = msgspec.json.decode(answer.body, type=Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = http.client.responses.get(answer.status, "another")
            raise RemoteRefused(f"http_{answer.status}", f"Expected an answer of this service. Received: {reason}.") from None
        raise RemoteRefused(problem.code, problem.detail)
