"""HTTP calls that leave nothing to a client library: a door is tested by what goes over the wire."""

import http.client
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    base_url: str, method: str, target: str, body: bytes | Iterator[bytes] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request. Bytes go with Content-Length, an iterator goes chunked without one."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()
