"""A few calls of a cloud's REST interface with the standard library, imported when the first is made. Called by the doors' launchers."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from core import errors

_TIMEOUT_S: Final = 10.0
_TRIES: Final = 3
_PAUSE_S: Final = 0.5  # doubled with each try
_MOST_BYTES: Final = 1024 * 1024
_AGAIN: Final = (429, 500, 502, 503, 504)

Json = dict[str, Any]


def call(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Json | None = None,
    timeout_s: float = _TIMEOUT_S,
    pause: Callable[[float], None] = time.sleep,
) -> Json:
    """Call and return the JSON object of the answer, empty where there is none.

    Too many requests and a server's faults are tried again, three times in all. A call that was not answered is not: it may have counted.

    Args:
        method: GET or POST.
        url: http or https.
        headers: sent along, and never shown.
        body: sent as JSON.
        timeout_s: of one try.
        pause: waits so many seconds.

    Raises:
        errors.LauncherFailed: the service does not answer, or refuses; the sentence says which service and why.
    """
    import urllib.error
    import urllib.request

    data = None if body is None else msgspec.json.encode(body)
    kind = {} if data is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, {**headers, **kind}, method=method)  # noqa: S310 an address of the deployment's
    place = f"{request.host}{request.selector.partition('?')[0]}"
    for turn in range(_TRIES):
        if turn:
            pause(_PAUSE_S * 2 ** (turn - 1))
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
                return _object(answer.read(_MOST_BYTES), place)
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(500).decode("utf-8", "replace").replace("\n", " ").strip()
            reason = f"{error.code} {error.reason}: {said}"
            if error.code not in _AGAIN:
                break
        except (OSError, ValueError) as error:
            reason = f"no answer ({getattr(error, 'reason', None) or error or type(error).__name__})"
            break
    raise errors.LauncherFailed(f"Expected {place} to start the job. Received: {reason}.")


def text(answer: Json, name: str) -> str:
    """Return a text of an answer.

    Raises:
        errors.LauncherFailed: it is not there.
    """
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise errors.LauncherFailed(f"Expected {name} from the platform's token service. Received: an answer without it.")
    return value


def _object(data: bytes, place: str) -> Json:
    try:
        value = msgspec.json.decode(data) if data.strip() else {}
    except msgspec.DecodeError as error:
        raise errors.LauncherFailed(f"Expected JSON from {place}. Received: something else.") from error
    return value if isinstance(value, dict) else {}
