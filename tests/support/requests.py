"""Requests as a door hands them in, and answers as a caller reads them."""

import io
from collections.abc import Mapping
from typing import Any

import msgspec

from core.contract import Request, Response

Json = dict[str, Any]


def get(path: str, headers: Mapping[str, str] | None = None) -> Request:
    """Return a request without a body."""
    return Request(method="GET", path=path, query={}, headers=headers or {}, body=io.BytesIO())


def post(
    body: bytes, content_type: str = "image/jpeg", query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Request:
    """Return a request to /predict."""
    given = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    return Request(method="POST", path="/predict", query=query or {}, headers=given, body=io.BytesIO(body))


def read(response: Response) -> Json:
    """Return the JSON object of an answer."""
    answer: Json = msgspec.json.decode(response.body)
    return answer
