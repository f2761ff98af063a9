"""`/openapi.json`, made from the same types and the same route table that serve, so that it cannot lie."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

import core
from core import errors
from core.bodies import MULTIPART_TYPE, Instances
from core.contract import JSON_TYPE, NOTICE, PROBLEM_TYPE, Answer, Prediction, Problem

Schema = dict[str, Any]
_BINARY: Schema = {"type": "string", "format": "binary"}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path: who answers it, and what it may answer."""

    method: str
    path: str
    summary: str
    handler: Callable[..., Any]
    answers: tuple[type[Answer], ...] = ()
    media_type: str = JSON_TYPE
    other_types: tuple[str, ...] = ()
    """More media types that a good answer may have."""
    refusals: tuple[type[errors.PneumoniaError], ...] = ()
    takes_pictures: bool = False
    takes_label: bool = False
    needs_key: bool = False
    needs_admin: bool = False
    query: Mapping[str, str] = {}
    """Query parameters by name, with what they mean."""
    status: int = 200
    also: Mapping[int, type[Answer]] = {}
    """Answers that are no errors and have another status."""


def document(routes: Sequence[Route], status_of: Mapping[type[errors.PneumoniaError], int]) -> Schema:
    """Return the OpenAPI 3.1 description of the routes.

    Args:
        routes: all routes.
        status_of: the HTTP status of every error.
    """
    types = {answer for route in routes for answer in (*route.answers, *route.also.values())} | {Problem, Instances}
    _, components = msgspec.json.schema_components(
        sorted(types, key=lambda kind: kind.__name__), ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, status_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pneumonia Functions", "version": core.__version__, "description": NOTICE, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "adminToken": {"type": "apiKey", "in": "header", "name": "X-Admin-Token"},
            },
        },
    }


def _operation(route: Route, status_of: Mapping[type[errors.PneumoniaError], int]) -> Schema:
    responses: dict[str, Schema] = {
        str(route.status): {
            "description": HTTPStatus(route.status).phrase,
            "content": {media_type: {"schema": _answer_schema(route)} for media_type in (route.media_type, *route.other_types)},
        }
    }
    for status in sorted({status_of[error] for error in route.refusals}):
        codes = ", ".join(f"`{error.code}`" for error in route.refusals if status_of[error] == status)
        problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
        responses[str(status)] = {"description": f"{HTTPStatus(status).phrase}: {codes}", "content": {PROBLEM_TYPE: problem}}
    for other, answer in route.also.items():
        content = responses.setdefault(str(other), {"description": HTTPStatus(other).phrase, "content": {}})["content"]
        content[JSON_TYPE] = {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}
    name = re.sub(r"\W+", "_", route.path.strip("/")) or "page"
    operation: Schema = {"operationId": f"{route.method.lower()}_{name}", "summary": route.summary, "responses": responses}
    named = re.findall(r"{(\w+)}", route.path)
    parameters: list[Schema] = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in named]
    parameters += [{"name": one, "in": "query", "schema": {"type": "string"}, "description": said} for one, said in route.query.items()]
    if parameters:
        operation["parameters"] = parameters
    if route.takes_pictures:
        operation["requestBody"] = _PICTURE_BODY
    if Prediction in route.answers:
        operation["parameters"] = _PICTURE_PARAMETERS
    if route.takes_label:
        operation |= {"parameters": [_LABEL_PARAMETER, _GUARD_PARAMETER], "requestBody": _LABELLED_BODY}
    if route.needs_key:
        operation["security"] = [{}, {"apiKey": []}]
    if route.needs_admin:
        operation["security"] = [{"adminToken": []}]
    return operation


def _answer_schema(route: Route) -> Schema:
    references = [{"$ref": f"#/components/schemas/{answer.__name__}"} for answer in route.answers]
    if not references:
        return {"type": "object" if route.media_type == JSON_TYPE else "string"}
    return references[0] if len(references) == 1 else {"oneOf": references}


_GUARD_PARAMETER = {
    "name": "guard",
    "in": "query",
    "schema": {"type": "string", "enum": ["advise"]},
    "description": "The guard says its verdict and refuses nothing.",
}
_PICTURE_PARAMETERS = [
    {"name": "operating_point", "in": "query", "schema": {"type": "string"}, "description": "One of the points that `/model` lists."},
    {"name": "explain", "in": "query", "schema": {"type": "string", "enum": ["heatmap"]}, "description": "Adds a heat map."},
    _GUARD_PARAMETER,
]
_PICTURE_BODY: Schema = {
    "required": True,
    "content": {
        "image/*": {"schema": _BINARY},
        "application/dicom": {"schema": _BINARY},
        "application/octet-stream": {"schema": _BINARY},
        MULTIPART_TYPE: {"schema": {"type": "object", "properties": {"files": {"type": "array", "items": _BINARY}}}},
        JSON_TYPE: {"schema": {"$ref": "#/components/schemas/Instances"}},
    },
}
_LABEL_PARAMETER = {
    "name": "label",
    "in": "query",
    "schema": {"type": "string"},
    "description": "The label of all the pictures, by its name or its slug; a form may have it as a field instead.",
}
_LABELLED_FORM = {"label": {"type": "string"}, "files": {"type": "array", "items": _BINARY}}
_LABELLED_BODY = {
    "required": True,
    "content": {**_PICTURE_BODY["content"], MULTIPART_TYPE: {"schema": {"type": "object", "properties": _LABELLED_FORM}}},
}
