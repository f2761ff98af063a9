"""The table of routes with what each answers and refuses."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from core import contract, dicom_errors, errors, living, management, openapi, papers, retraining, web
from core.contract import Request
from core.endpoints import Endpoints, Outcome
from core.openapi import Route
from core.rejections import Predictions, Rejected
from core.statuses import STATUS_OF


def _describe(_endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give the contract itself."""
    return Outcome(_openapi_json())


_NO_MODEL: Final = (errors.ModelUnavailable, errors.InvalidSettings)
_ROUTING: Final = (errors.UnknownRoute, errors.MethodNotAllowed)
_ADMIN: Final = (errors.AdminRoutesOff, errors.AdminUnauthorized)
_STORE: Final = (errors.NoStore, errors.StoreUnavailable)
_LABELS: Final = (errors.UnknownLabel, errors.LabelConflict)
_VERSIONS: Final = (errors.UnknownVersion, errors.PackageRefused)
_NOT_STORED: Final = (dicom_errors.BurnedInAnnotation, errors.PictureRejected)
_JOBS: Final = (errors.JobRunning, errors.LauncherFailed)
_ELSEWHERE: Final = (
    *_ROUTING,
    *_ADMIN,
    *_STORE,
    *_LABELS,
    *_VERSIONS,
    *_JOBS,
    *_NOT_STORED,
    errors.UnknownJob,
    errors.UnknownFile,
)
_PAPERS: Final = (errors.UnknownFile, errors.StoreUnavailable, *_NO_MODEL)
_PREDICT_ERRORS: Final = tuple(error for error in STATUS_OF if error not in _ELSEWHERE)
_PREVIEW_ERRORS: Final = tuple(error for error in _PREDICT_ERRORS if error not in (*_NO_MODEL, errors.InvalidParameter))
_UPLOAD_ERRORS: Final = (
    *(error for error in _PREDICT_ERRORS if error is not errors.Unauthorized),
    *_ADMIN,
    *_STORE,
    *_LABELS,
    *_NOT_STORED,
)
ROUTES: Final = (
    Route(
        method="POST",
        path="/predict",
        summary="Read one chest X-ray, or several.",
        handler=Endpoints.predict,
        answers=(contract.Prediction, Predictions),
        refusals=_PREDICT_ERRORS,
        also={422: Rejected},
        takes_pictures=True,
        needs_key=True,
    ),
    Route(
        method="POST",
        path="/preview",
        summary="See a picture as it is decoded here: upright, grey, as a PNG.",
        handler=web.preview,
        media_type="image/png",
        refusals=_PREVIEW_ERRORS,
        takes_pictures=True,
        needs_key=True,
    ),
    Route(
        method="POST",
        path="/upload-data",
        summary="Store labelled pictures for retraining.",
        handler=Endpoints.upload,
        answers=(living.Uploads,),
        refusals=_UPLOAD_ERRORS,
        takes_pictures=True,
        takes_label=True,
        needs_admin=True,
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
    Route(
        method="GET",
        path="/model/card",
        summary="The model card, as Markdown.",
        handler=papers.card,
        media_type="text/markdown",
        refusals=_PAPERS,
    ),
    Route(
        method="GET",
        path="/model/report",
        summary="The figures and tables that the model's package carries.",
        handler=papers.report,
        answers=(papers.Report,),
        refusals=_NO_MODEL,
    ),
    Route(
        method="GET",
        path="/model/report/{file}",
        summary="One of them: a drawing (SVG), a table (CSV) or a text (Markdown).",
        handler=papers.file,
        media_type="image/svg+xml",
        other_types=("text/csv", "text/markdown"),
        refusals=_PAPERS,
    ),
    Route(
        method="GET",
        path="/manage",
        summary="What may be managed here; answers who has the admin token.",
        handler=management.show,
        answers=(management.Management,),
        refusals=_ADMIN,
        needs_admin=True,
    ),
    Route(method="GET", path="/health/live", summary="The process answers.", handler=Endpoints.live, answers=(contract.Health,)),
    Route(
        method="GET",
        path="/models",
        summary="The versions in the store, which of them is active, and the last promotions.",
        handler=Endpoints.models,
        answers=(contract.Models,),
        refusals=(errors.Unauthorized, errors.ModelUnavailable, *_STORE),
        needs_key=True,
    ),
    Route(
        method="POST",
        path="/models/{version}/activate",
        summary="Promote a version, or go back to one.",
        handler=Endpoints.activate,
        answers=(contract.Promotion,),
        refusals=(errors.InvalidParameter, errors.UnknownVersion, errors.PackageRefused, errors.ModelUnavailable, *_ADMIN, *_STORE),
        needs_admin=True,
        query={"reason": "Kept with the promotion, up to 200 characters."},
    ),
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
        handler=retraining.ask,
        answers=(living.RetrainJob,),
        refusals=(*_ADMIN, *_JOBS, *_STORE),
        needs_admin=True,
        status=202,
    ),
    Route(
        method="GET",
        path="/retrain",
        summary="The latest retrainings, newest first.",
        handler=retraining.list_jobs,
        answers=(living.RetrainJobs,),
        refusals=(errors.Unauthorized, *_STORE),
        needs_key=True,
    ),
    Route(
        method="GET",
        path="/retrain/{id}",
        summary="How a retraining stands, and what came of it.",
        handler=retraining.show,
        answers=(living.RetrainJob,),
        refusals=(errors.Unauthorized, errors.UnknownJob, *_STORE),
        needs_key=True,
    ),
    Route(method="GET", path="/metrics", summary="Counters for Prometheus.", handler=Endpoints.metrics, media_type="text/plain"),
    Route(method="GET", path="/openapi.json", summary="The machine-readable description of all routes (OpenAPI).", handler=_describe),
    Route(method="GET", path="/docs", summary="A page to try the routes.", handler=web.docs, media_type="text/html"),
    Route(method="GET", path="/", summary="The web page.", handler=web.page, media_type="text/html"),
    Route(method="GET", path="/phantom.jpg", summary="A synthetic chest to try.", handler=web.sample, media_type="image/jpeg"),
)
_PATHS: Final = tuple(dict.fromkeys(route.path for route in ROUTES))
_PATTERNS: Final = tuple((path, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))) for path in _PATHS if "{" in path)


def template_of(path: str) -> tuple[str, Mapping[str, str]]:
    """Return a path as the table of routes writes it, and what stands in its braces.

    What a caller chose freely is neither logged nor counted: a path that is none of ours is "unknown".
    """
    if path in _PATHS and "{" not in path:
        return path, {}
    matches = ((template, pattern.fullmatch(path)) for template, pattern in _PATTERNS)
    return next(((template, match.groupdict()) for template, match in matches if match), ("unknown", {}))


def find_route(path: str, method: str) -> Route:
    """Return the route for a path of the table and a method; HEAD is GET without a body."""
    there = [route for route in ROUTES if route.path == path]
    if not there:
        raise errors.UnknownRoute(f"Expected one of {', '.join(_PATHS)}. Received: a path that is none of them.")
    found = next((route for route in there if route.method == ("GET" if method == "HEAD" else method)), None)
    if found is None:
        allowed = tuple(route.method for route in there)
        raise errors.MethodNotAllowed(f"Expected {' or '.join(allowed)} on {path}. Received: {method[:16]}.", allowed)
    return found


@cache
def _openapi_json() -> bytes:
    return msgspec.json.encode(openapi.document(ROUTES, STATUS_OF))
