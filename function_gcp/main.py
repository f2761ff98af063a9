"""functions-framework's target: `functions-framework --source function_gcp/main.py --target pneumonia`.

Two conversions and one call; all else is in `core`.
"""

import os
from functools import partial

import flask

from core.bootstrap import shared
from core.contract import Request, Response
from function_gcp.launcher import LAUNCHERS

_PIECE_BYTES = 65536


def pneumonia(request: flask.Request) -> flask.Response:
    """Answer one request."""
    response = to_flask(shared(LAUNCHERS).handle(from_flask(request)))
    while request.stream.read(_PIECE_BYTES):  # functions-framework would read what is left at once, into memory
        pass
    return response


def from_flask(request: flask.Request) -> Request:
    """Take over a request; its body stays unread until a route wants it."""
    return Request(
        method=request.method,
        path=request.path,
        query=dict(request.args.items(multi=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.stream,
    )


def to_flask(response: Response) -> flask.Response:
    """Hand over an answer."""
    return flask.Response(response.body, response.status, dict(response.headers))


# gunicorn forks its workers after this import: each loads the model as it starts, before its first request.
os.register_at_fork(after_in_child=partial(shared, LAUNCHERS))
