"""The HTTP contract: which route answers what, and the only place that turns an exception into a status.

`Service.handle` is what every door calls. It never raises.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Final

import msgspec

from core import contract, errors, openapi
from core.classifier import Classifier
from core.contract import JSON_TYPE, PROBLEM_TYPE, Request, Response
from core.endpoints import Endpoints, Outcome
from core.launch import Launcher
from core.logs import LOGGER, log_request
from core.metrics import Metrics
from core.openapi import Route
from core.settings import Settings
from core.store import Store

STATUS_OF: Final[Mapping[type[errors.PneumoniaError], int]] = {
    errors.EmptyBody: 400,
    errors.MalformedBody: 400,
    errors.NoPicture: 400,
    errors.InvalidParameter: 400,
    errors.Unauthorized: 401,
    errors.AdminUnauthorized: 401,
    errors.AdminRoutesOff: 403,
    errors.UnknownRoute: 404,
    errors.UnknownJob: 404,
    errors.MethodNotAllowed: 405,
    errors.JobRunning: 409,
    errors.LengthRequired: 411,
    errors.BodyTooLarge: 413,
    errors.TooManyPictures: 413,
    errors.PictureTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.UnsupportedFormat: 415,
    errors.NotAPicture: 422,
    errors.SeveralFrames: 422,
    errors.TruncatedPicture: 422,
    errors.CorruptPicture: 422,
    errors.PictureTooSmall: 422,
    errors.InternalError: 500,
    errors.LauncherFailed: 502,
    errors.InvalidSettings: 503,
    errors.ModelUnavailable: 503,
    errors.NoStore: 503,
    errors.StoreUnavailable: 503,
}


def _describe(_endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give the contract itself."""
    return Outcome(_openapi_json())


_NO_STORE: Final = (errors.NoStore, errors.StoreUnavailable)
_ADMIN: Final = (errors.AdminUnauthorized, errors.AdminRoutesOff)
_NO_MODEL: Final = (errors.ModelUnavailable, errors.InvalidSettings)
_RETRAIN_ERRORS: Final = (errors.JobRunning, errors.LauncherFailed)
_NOT_OF_PREDICT: Final = (errors.UnknownRoute, errors.MethodNotAllowed, errors.UnknownJob, *_RETRAIN_ERRORS, *_NO_STORE, *_ADMIN)
_PREDICT_ERRORS: Final = tuple(error for error in STATUS_OF if error not in _NOT_OF_PREDICT)
ROUTES: Final = (
    Route(
        method="POST",
        path="/predict",
        summary="Read one chest X-ray, or several.",
        handler=Endpoints.predict,
        answers=(contract.Prediction, contract.Predictions),
        refusals=_PREDICT_ERRORS,
        takes_pictures=True,
        needs_key=True,
    ),
    Route(method="GET", path="/status", summary="How this instance is doing.", handler=Endpoints.status, answers=(contract.Status,)),
    Route(
        method="GET",
        path="/model",
        summary="The public part of the model's manifest.",
        handler=Endpoints.model,
        answers=(contract.ModelCard,),
        refusals=_NO_MODEL,
    ),
    Route(method="GET", path="/health/live", summary="The process answers.", handler=Endpoints.live, answers=(contract.Health,)),
    Route(
        method="GET",
        path="/health/ready",
        summary="The model is loaded and has passed its self-test.",
        handler=Endpoints.ready,
        answers=(contract.Health,),
        refusals=_NO_MODEL,
    ),
    Route(
        method="POST",
        path="/retrain",
        summary="Ask for a retraining; the answer says where to watch it.",
        handler=Endpoints.retrain,
        answers=(contract.RetrainJob,),
        refusals=(*_ADMIN, *_RETRAIN_ERRORS, *_NO_STORE),
        needs_admin=True,
        status=202,
    ),
    Route(
        method="GET",
        path="/retrain",
        summary="The latest retrainings, newest first.",
        handler=Endpoints.retrainings,
        answers=(contract.RetrainJobs,),
        refusals=_NO_STORE,
    ),
    Route(
        method="GET",
        path="/retrain/{id}",
        summary="How a retraining stands, and what came of it.",
        handler=Endpoints.retraining,
        answers=(contract.RetrainJob,),
        refusals=(errors.UnknownJob, *_NO_STORE),
    ),
    Route(method="GET", path="/metrics", summary="Counters for Prometheus.", handler=Endpoints.metrics, media_type="text/plain"),
    Route(method="GET", path="/openapi.json", summary="The machine-readable description of all routes (OpenAPI).", handler=_describe),
    Route(method="GET", path="/docs", summary="A page to try the routes.", handler=Endpoints.page, media_type="text/html"),
    Route(method="GET", path="/", summary="The page to try the routes.", handler=Endpoints.page, media_type="text/html"),
    Route(method="GET", path="/phantom.jpg", summary="A synthetic chest to try.", handler=Endpoints.sample, media_type="image/jpeg"),
)
_PATHS: Final = tuple(dict.fromkeys(route.path for route in ROUTES))

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Service:
    """The service of one process; thread-safe."""

    def __init__(
        self,
        settings: Settings,
        model: Classifier | errors.ServiceError,
        store: Store | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self._metrics = Metrics()
        self._endpoints = Endpoints(settings, model, self._metrics, store, launcher)

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        start = perf_counter()
        request_id = _request_id(request)
        path = next((path for path in _PATHS if _match(path, request.path) is not None), None)
        route = path or "unknown"  # what a caller chose freely is neither logged nor counted
        try:
            found = _find_route(path, request.method)
            self._check_key(request, found)
            parameters = _match(found.path, request.path) or {}
            outcome = found.handler(self._endpoints, msgspec.structs.replace(request, parameters=parameters), request_id)
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


def _match(template: str, path: str) -> dict[str, str] | None:
    """Return what stands in a path for the names in braces of a route's, None where it is another path."""
    wanted, given = template.split("/"), path.split("/")
    fits = len(wanted) == len(given) and all(one == other or (one[:1] == "{" and other) for one, other in zip(wanted, given, strict=True))
    return {one[1:-1]: other for one, other in zip(wanted, given, strict=True) if one[:1] == "{"} if fits else None


def _find_route(path: str | None, method: str) -> Route:
    """Return the route for the path of a route and a method; HEAD is GET without a body."""
    there = [route for route in ROUTES if route.path == path]
    if not there:
        raise errors.UnknownRoute(f"Expected one of {', '.join(_PATHS)}. Received: a path that is none of them.")
    found = next((route for route in there if route.method == ("GET" if method == "HEAD" else method)), None)
    if found is None:
        allowed = tuple(route.method for route in there)
        raise errors.MethodNotAllowed(f"Expected {' or '.join(allowed)} on {path}. Received: {method[:16]}.", allowed)
    return found


def _request_id(request: Request) -> str:
    """Return the caller's request id where it is one that a log can hold, otherwise a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


@cache
def _openapi_json() -> bytes:
    return msgspec.json.encode(openapi.document(ROUTES, STATUS_OF))
