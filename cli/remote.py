"""A service that is asked over HTTP by `pneumonia models --url`. Redirects are not followed: they would carry the admin token elsewhere."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from core import errors
from core.contract import Problem

_LIMIT_S = 60.0


class RemoteRefused(errors.PneumoniaError):
    """The service answered with a problem, whose code this error has, or did not answer."""

    code = "remote_refused"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]


class Remote:
    """One service, by its URL."""

    def __init__(self, url: str, admin_token: str | None, api_key: str | None) -> None:
        """Take the service's URL, and the secrets of this person's environment.

        Raises:
            RemoteRefused: the URL is none of HTTP.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RemoteRefused("invalid_url", f"Expected http://… or https://…. Received: {url[:64]!r}.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=_LIMIT_S)
        self._prefix = parts.path.rstrip("/")
        secrets = {"X-Admin-Token": admin_token, "X-API-Key": api_key}
        self._headers = {name: value for name, value in secrets.items() if value}

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body of an answer.

        Raises:
            RemoteRefused: the service refused, with its code, or could not be reached.
        """
        target = f"{self._prefix}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            self._connection.request(method, target, headers={**self._headers, "Content-Length": "0"})
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RemoteRefused("unreachable", f"Expected the service to answer. Received: {error or type(error).__name__}.") from error
        finally:
            self._connection.close()
        if answer.status == http.client.OK:
            return body
        try:
            problem = msgspec.json.decode(body, type=Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RemoteRefused(f"http_{answer.status}", f"Expected an answer of this service. Received: {answer.reason}.") from None
        raise RemoteRefused(problem.code, problem.detail)
