"""`/openapi.json` is valid, and it does not lie: real answers of every route are what it says."""

import base64
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import openapi_spec_validator
import pytest

from core import errors, images, phantom
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Request, Response
from core.dicom_errors import DicomSupportMissing
from core.routes import ROUTES, template_of
from core.statuses import STATUS_OF
from tests.contract import dicom_cases
from tests.support import dicoms, living, packages
from tests.support.pictures import chest, encode, pages
from tests.support.requests import get, post, read

Json = dict[str, Any]


@cache
def service(**settings: str) -> Service:
    return bootstrap({f"PNEUMONIA_{name.upper()}": value for name, value in settings.items()})


@cache
def document() -> Json:
    return read(service().handle(get("/openapi.json")))


TWO_TYPES = (("/predict", 422),)  # a problem, or the answer to a picture that the guard refuses: docs/decisions/0014


def check(response: Response, method: str, path: str) -> None:
    """Hold an answer against what the document says of its route and status."""
    promised = document()["paths"][path][method.lower()]["responses"]
    assert str(response.status) in promised, f"{response.status} is not promised by {path}"
    content = promised[str(response.status)]["content"]
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content
    assert len(content) == 1 or "{file}" in path or (path, response.status) in TWO_TYPES
    if media_type.endswith("json"):
        schema = {**content[media_type]["schema"], "components": document()["components"]}
        found = jsonschema.Draft202012Validator(schema).iter_errors(msgspec.json.decode(response.body))
        assert [f"{error.json_path}: {error.message[:200]}" for error in found] == []


def test_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(document())


def test_document_describes_every_route_once() -> None:
    described = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

    assert described == {(route.method, route.path) for route in ROUTES}
    identifiers = [operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()]
    assert len(set(identifiers)) == len(identifiers)


def instances(*pictures: bytes) -> bytes:
    return msgspec.json.encode({"instances": [{"b64": base64.b64encode(picture).decode()} for picture in pictures]})


SMALL = encode(chest(), "JPEG")
FORM_TYPE = "multipart/form-data; boundary=X"
FORM = b'--X\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + SMALL + b"\r\n--X--\r\n"
ADMIN = (errors.AdminRoutesOff, errors.AdminUnauthorized)
ANSWERED: Mapping[str, Request] = {
    **{
        f"GET {route.path}": get(route.path)
        for route in ROUTES
        if route.method == "GET" and "{" not in route.path and not {errors.NoStore, *ADMIN} & {*route.refusals}
    },
    **{f"a {sort} of the report": get(f"/model/report/{name}") for sort, name in (("drawing", "roc.svg"), ("table", "history.csv"))},
    "one picture": post(phantom.jpeg()),
    "a heat map": post(phantom.jpeg(), query={"explain": "heatmap"}),
    "a form": post(FORM, FORM_TYPE),
    "one instance": post(instances(SMALL), "application/json"),
    "several instances, some of them bad": post(instances(SMALL, b"text", b"", b"%PDF-1.7", SMALL[:700], SMALL), "application/json"),
}


@pytest.mark.parametrize("request_", ANSWERED.values(), ids=ANSWERED.keys())
def test_answer_is_as_described(request_: Request) -> None:
    response = service().handle(request_)

    assert response.status == 200
    check(response, request_.method, template_of(request_.path)[0])


@pytest.mark.parametrize("threshold", ["0", "1"])
def test_negative_and_positive_answers_are_as_described(tmp_path: Path, threshold: str) -> None:
    response = bootstrap({"PNEUMONIA_MODEL": str(packages.with_point(tmp_path, float(threshold)))}).handle(post(SMALL))

    assert read(response)["pneumonia"]["decision"] == ("positive" if threshold == "0" else "negative")
    check(response, "POST", "/predict")


def refusals() -> Mapping[str, tuple[Service, Request]]:
    plain, keyed, one = service(), service(api_key="k"), service(max_pictures="1")
    return {
        "empty_body": (plain, post(b"")),
        "malformed_body": (plain, post(b"{", "application/json")),
        "no_picture": (plain, post(instances(), "application/json")),
        "invalid_parameter": (plain, post(SMALL, query={"explain": "words"})),
        "unauthorized": (keyed, post(SMALL)),
        "length_required": (plain, msgspec.structs.replace(post(b""), headers={})),
        "body_too_large": (service(max_body_mb="1"), post(bytes(2**20 + 1))),
        "too_many_pictures": (one, post(instances(SMALL, SMALL), "application/json")),
        "picture_too_large": (service(max_pixels="1000"), post(SMALL)),
        "unsupported_media_type": (plain, post(SMALL, "text/plain")),
        "unsupported_format": (plain, post(b"%PDF-1.7")),
        "not_a_picture": (plain, post(b"text")),
        "several_frames": (plain, post(pages("TIFF"))),
        "truncated_picture": (plain, post(SMALL[:700])),
        "corrupt_picture": (plain, post(corrupt_png())),
        "picture_too_small": (plain, post(encode(chest()[:20], "PNG"))),
        "invalid_settings": (service(log_level="LOUD"), post(SMALL)),
        "model_unavailable": (service(model="nowhere"), post(SMALL)),
        "dicom_support_missing": (plain, post(dicoms.sound())),
        **{code: (plain, post(data)) for code, data in dicom_cases.refused().items()},
    }


def corrupt_png() -> bytes:
    data = bytearray(encode(chest(), "PNG"))
    data[200:260] = bytes(60)
    return bytes(data)


OF_PREDICT = {f"`{error.code}`" for route in ROUTES if route.path == "/predict" for error in route.refusals}


@pytest.mark.parametrize("code", [error.code for error in STATUS_OF if f"`{error.code}`" in OF_PREDICT])
def test_refusal_of_a_picture_is_as_described(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if code == errors.InternalError.code:
        monkeypatch.setattr(images, "decode", None)
        asked, request = service(), post(SMALL)
    else:
        asked, request = refusals()[code]
    if code == DicomSupportMissing.code:
        monkeypatch.setitem(sys.modules, "pydicom", None)

    response = asked.handle(request)

    assert read(response)["code"] == code
    assert response.status == {error.code: status for error, status in STATUS_OF.items()}[code]
    check(response, "POST", "/predict")


def test_answers_of_the_guard_are_as_described(tmp_path: Path) -> None:
    guarded, noise = service(model=str(packages.guarded(tmp_path))), encode(packages.noise(), "PNG")

    answers = [guarded.handle(request) for request in (post(noise), post(SMALL), post(instances(noise, SMALL), "application/json"))]

    assert [answer.status for answer in answers] == [422, 200, 200]
    assert read(answers[0])["status"] == read(answers[2])["predictions"][0]["status"] == "rejected"
    for answer in answers:
        check(answer, "POST", "/predict")


@pytest.mark.parametrize("path", ["/model", "/model/card", "/model/report", "/health/ready", "/status", "/health/live"])
@pytest.mark.parametrize("settings", [{"model": "nowhere"}, {"log_level": "LOUD"}], ids=["no model", "invalid settings"])
def test_routes_of_a_service_without_a_model_answer_as_described(path: str, settings: dict[str, str]) -> None:
    check(service(**settings).handle(get(path)), "GET", path)


def test_description_names_every_code_where_it_may_come() -> None:
    responses = document()["paths"]["/predict"]["post"]["responses"]

    for route in ROUTES:
        for error in route.refusals:
            described = document()["paths"][route.path][route.method.lower()]["responses"][str(STATUS_OF[error])]["description"]
            assert f"`{error.code}`" in described
    assert set(responses) == {"200", *(str(STATUS_OF[error]) for error in ROUTES[0].refusals)}


def test_answers_have_no_field_that_is_not_described() -> None:
    schemas = document()["components"]["schemas"]

    closed = [name for name, schema in schemas.items() if schema.get("additionalProperties") is False]
    assert {"Prediction", "Predictions", "Problem", "Status", "ModelCard", "Health"} <= set(closed)


def test_key_is_described_where_it_is_asked_for() -> None:
    secured = {path for path, methods in document()["paths"].items() for operation in methods.values() if "security" in operation}

    assert secured == {route.path for route in ROUTES if route.needs_key or route.needs_admin}
    assert document()["components"]["securitySchemes"]["adminToken"]["name"] == "X-Admin-Token"
    assert document()["components"]["securitySchemes"]["apiKey"]["name"] == "X-API-Key"


def test_routes_of_the_models_answer_as_described(tmp_path: Path) -> None:
    admin = {"x-admin-token": living.TOKEN}
    alive, path = living.serve(tmp_path), "/models/{version}/activate"
    living.damage_version(living.open_folder(tmp_path), tmp_path / "broken", "6.6.6")
    asked = {version: living.activation(version, admin) for version in (packages.version(), "6.6.6", "none")}

    answers = {version: alive.handle(request) for version, request in asked.items()}

    assert [answer.status for answer in answers.values()] == [200, 422, 404]
    for answer in (*answers.values(), alive.handle(living.activation("none", {})), service().handle(living.activation("none", admin))):
        check(answer, "POST", path)
    for answer in (alive.handle(get("/models")), service().handle(get("/models"))):
        check(answer, "GET", "/models")
    check(alive.handle(get("/status")), "GET", "/status")


def test_management_and_papers_answer_as_described(tmp_path: Path) -> None:
    alive = living.serve(tmp_path)
    for headers in ({"x-admin-token": living.TOKEN}, {}):
        check(alive.handle(get("/manage", headers)), "GET", "/manage")
    check(service().handle(get("/manage")), "GET", "/manage")
    for name in ("roc.svg", "nothing.svg"):
        check(service().handle(get(f"/model/report/{name}")), "GET", "/model/report/{file}")


def test_what_stands_in_a_path_is_described() -> None:
    operation = document()["paths"]["/models/{version}/activate"]["post"]

    assert [(one["name"], one["in"], one.get("required", False)) for one in operation["parameters"]] == [
        ("version", "path", True),
        ("reason", "query", False),
    ]


def test_document_names_no_machine() -> None:
    assert not re.search(r"/(work|home|root|tmp)/|localhost|https?://", msgspec.json.encode(document()).decode())
