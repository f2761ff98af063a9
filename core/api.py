"""The HTTP contract: which route answers what, and the only place that turns an exception into a status.

`Service.handle` is what every door calls. It never raises.
"""

import hmac
import re
import secrets
from time import perf_counter
from typing import Final

import msgspec

from core import contract, errors
from core.active import Active
from core.contract import JSON_TYPE, PROBLEM_TYPE, Request, Response
from core.endpoints import Endpoints, Outcome
from core.logs import LOGGER, log_request
from core.metrics import Metrics
from core.openapi import Route
from core.routes import find_route, template_of
from core.statuses import STATUS_OF

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Service:
    """The service of one process; thread-safe."""

    def __init__(self, active: Active, metrics: Metrics, endpoints: Endpoints) -> None:
        self._active = active
        self._metrics = metrics
        self._endpoints = endpoints

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        start = perf_counter()
        request_id = _request_id(request)
        route, parameters = template_of(request.path)
        try:
            self._active.look_if_due()
            found = find_route(route, request.method)
            self._check_key(request, found)
            asked = msgspec.structs.replace(request, parameters=parameters) if parameters else request
            outcome = found.handler(self._endpoints, asked, request_id)
        except errors.PneumoniaError as error:
            outcome = self._problem(error, request_id)
        except Exception:
            LOGGER.exception("unexpected error", extra={"fields": {"request_id": request_id, "route": route}})
            outcome = self._problem(errors.InternalError(f"Something failed on our side. The log has it under {request_id}."), request_id)
        self._record(request, request_id, route, outcome, perf_counter() - start)
        headers = {"Content-Type": outcome.media_type, "X-Request-Id": request_id, **_HEADERS, **outcome.headers}
        body = outcome.body + b"\n" if outcome.media_type in (JSON_TYPE, PROBLEM_TYPE) else outcome.body  # a terminal wants its line ended
        return Response(status=outcome.status, headers=headers, body=b"" if request.method == "HEAD" else body)

    def _check_key(self, request: Request, route: Route) -> None:
        """Let in who may: a guarded route wants its secret, and one that changes something is off until it has one."""
        settings = self._endpoints.settings
        if route.needs_key and settings.api_key is not None and not _matches(request, "x-api-key", settings.api_key):
            raise errors.Unauthorized("Expected the API key in the header X-API-Key. Received: none or a wrong one.")
        if route.needs_admin:
            if settings.admin_token is None:
                raise errors.AdminRoutesOff(
                    "Expected PNEUMONIA_ADMIN_TOKEN to be set: without it nothing can be changed here. Received: no such setting."
                )
            if not _matches(request, "x-admin-token", settings.admin_token):
                raise errors.AdminUnauthorized("Expected the admin token in the header X-Admin-Token. Received: none or a wrong one.")

    def _problem(self, error: errors.PneumoniaError, request_id: str) -> Outcome:
        """Turn an error into RFC 9457 problem details."""
        status = STATUS_OF[type(error)]
        self._metrics.count_error(error.code)
        problem = contract.Problem(
            type=f"urn:pneumonia-functions:error:{error.code}",
            title=error.code.replace("_", " ").capitalize(),
            status=status,
            detail=str(error).encode("utf-8", "backslashreplace").decode(),  # what a caller sent may be no text
            code=error.code,
            request_id=request_id,
        )
        headers = {"Allow": ", ".join(error.allowed)} if isinstance(error, errors.MethodNotAllowed) else {}
        if isinstance(error, errors.Unauthorized | errors.AdminUnauthorized):
            headers = {"WWW-Authenticate": "ApiKey"}
        return Outcome(msgspec.json.encode(problem), PROBLEM_TYPE, status, headers, {"code": error.code})

    def _record(self, request: Request, request_id: str, route: str, outcome: Outcome, seconds: float) -> None:
        self._metrics.count_request(route, outcome.status)
        identity = self._endpoints.identity
        fields = {
            "request_id": request_id,
            "route": route,
            "status": outcome.status,
            "milliseconds": round(seconds * 1000.0, 2),
            "model_version": identity.version if identity else None,
            **outcome.log,
        }
        log_request(request.headers, fields, outcome.status)


def _matches(request: Request, header: str, secret: str) -> bool:
    """Compare in constant time. Not `Authorization`: Cloud Run and Azure keep that header for their own tokens."""
    return hmac.compare_digest(request.headers.get(header, "").encode("utf-8", "backslashreplace"), secret.encode())


def _request_id(request: Request) -> str:
    """Return the caller's request id where it is one that a log can hold, otherwise a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
