"""A live deployment, asked over HTTP as any caller would: `pneumonia smoke` and `pneumonia models --url` stand on it.

Redirects are not followed: they would carry a secret elsewhere.
"""

import http.client
from collections.abc import Mapping
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from core import errors

_MILLISECONDS = 1000.0
PLATFORM_SECRETS = {
    "functions_key": ("AZURE_FUNCTIONS_KEY", "x-functions-key", "{}", "a key of the Azure Function App"),
    "bearer": ("GOOGLE_IDENTITY_TOKEN", "Authorization", "Bearer {}", "a Google identity token"),
}
"""What stands before a service wants these: option, variable, header, form, meaning."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class InvalidUrl(errors.PneumoniaError):
    """The address is none that may be asked."""

    code = "invalid_url"


class Unreachable(errors.PneumoniaError):
    """Nobody answered, or what came is no HTTP."""

    code = "unreachable"


class Ask(NamedTuple):
    """What is sent. `chunked` sends the body without its length."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    chunked: bool = False


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float


def platform_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the platform wants, of this person's environment."""
    wanted = PLATFORM_SECRETS.values()
    return {header: form.format(environ[variable].strip()) for variable, header, form, _ in wanted if environ.get(variable)}


class Endpoint:
    """One deployment, by its URL, with the secrets that it is asked with."""

    def __init__(self, url: str, secrets: Mapping[str, str], timeout_s: float) -> None:
        """Take the address.

        Raises:
            InvalidUrl: it is none of HTTP, or would send a secret over the network in the clear.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidUrl(f"Expected http://… or https://…. Received: {url[:64]!r}.")
        if secrets and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise InvalidUrl("Expected https://… where a key goes along. Received: http://…, on which anybody can read it.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        self._prefix = parts.path.rstrip("/")
        self.secrets = secrets

    def close(self) -> None:
        """Close a connection that was kept open."""
        self._connection.close()

    def ask(self, ask: Ask, secrets: Mapping[str, str] | None = None, *, keep_open: bool = False) -> Answer:
        """Send one request and read the whole answer.

        Args:
            ask: what is sent.
            secrets: headers to send instead of the endpoint's own secrets.
            keep_open: leaves the connection for the next request, whose time then is that of the service alone.

        Raises:
            Unreachable: there was no answer.
        """
        headers = {**(self.secrets if secrets is None else secrets), **ask.headers}
        target = self._prefix + ask.path + (f"?{urlencode(ask.query)}" if ask.query else "")
        start_s = perf_counter()
        try:
            if ask.chunked:
                pieces = iter([ask.body] if ask.body else [])
                self._connection.request(ask.method, target, pieces, {**headers, "Transfer-Encoding": "chunked"}, encode_chunked=True)
            else:
                self._connection.request(ask.method, target, ask.body, {**headers, "Content-Length": str(len(ask.body))})
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            keep_open = False
            raise Unreachable(f"Expected the service to answer. Received: {error or type(error).__name__}.") from error
        finally:
            if not keep_open:
                self._connection.close()
        milliseconds = (perf_counter() - start_s) * _MILLISECONDS
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body, milliseconds)
