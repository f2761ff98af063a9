"""What the contract promises: requests with the status, the code or the type of their answer. Every route and every error is here."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from core import models
from core.settings import BAKED_MODEL
from tests.contract import bodies
from tests.contract.doors import Ask

KEY = "a-key-of-the-tests"
TOKEN = "an-admin-token-of-the-tests"
ADMIN = {"X-Admin-Token": TOKEN}
BROKEN_VERSION = "6.6.6"  # what conftest puts into the store: loads, and fails its self-test
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={bodies.BOUNDARY}"}
JSON = {"Content-Type": "application/json"}

# What a deployment was given; one process a door and deployment. `{folder}` is a store of its own, with what `seed` puts there;
# `{store}` is one that all doors share.
STORE = {"PNEUMONIA_STORE": "{folder}", "PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_EXTRA_LABELS": "fungal pneumonia"}
DEPLOYMENTS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "small": {"PNEUMONIA_MAX_PICTURES": "2", "PNEUMONIA_API_KEY": KEY},
    "no-model": {"PNEUMONIA_MODEL": "nowhere"},
    "invalid-settings": {"PNEUMONIA_MAX_PICTURES": "none"},
    "store": STORE | {"PNEUMONIA_LAUNCHER": "process", "PNEUMONIA_RETRAIN_COMMAND": "nowhere/pneumonia retrain"},
    "busy": STORE,
    "no-store": {"PNEUMONIA_ADMIN_TOKEN": TOKEN},
    "broken-store": STORE | {"PNEUMONIA_STORE": "file:///dev/null/store"},
    "store-without-token": {"PNEUMONIA_STORE": "{folder}"},
    "living": {"PNEUMONIA_STORE": "{store}", "PNEUMONIA_ADMIN_TOKEN": TOKEN},
}


class Case(NamedTuple):
    """One request to one deployment. `code` is that of the problem, or of the first item that failed among several."""

    name: str
    ask: Ask
    status: int
    code: str | None = None
    media_type: str = "application/json"
    deployment: str = "default"


def _predict(body: bytes, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None, chunked: bool = False) -> Ask:
    return Ask("POST", "/predict", body, headers or {}, query or {}, chunked)


def _good() -> list[Case]:
    jpeg = bodies.jpeg()
    raw = {
        f"{file_format.lower()}-{mode.lower().replace(';', '')}": _predict(bodies.encoded(file_format, mode))
        for file_format, modes in {
            "JPEG": ("L", "RGB", "CMYK"),
            "PNG": ("1", "L", "P", "LA", "RGB", "RGBA", "I;16"),
            "BMP": ("1", "L", "P", "RGB"),
            "TIFF": ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
            "WEBP": ("RGB", "RGBA"),
        }.items()
        for mode in modes
    }
    ways = {
        "without a content type": _predict(jpeg),
        "as image/jpeg": _predict(jpeg, {"Content-Type": "image/jpeg"}),
        "as octets": _predict(jpeg, {"Content-Type": "application/octet-stream"}),
        "as curl --data-binary sends it": _predict(jpeg, {"Content-Type": "application/x-www-form-urlencoded"}),
        "at another operating point": _predict(jpeg, query={"operating_point": "screening"}),
        "with a heat map": _predict(jpeg, query={"explain": "heatmap"}),
        "one file in a form": _predict(bodies.multipart(jpeg), MULTIPART),
        "two files in a form": _predict(bodies.multipart(jpeg, bodies.encoded("PNG")), MULTIPART),
        "one instance": _predict(bodies.instances(jpeg), JSON),
        "two instances": _predict(bodies.instances(jpeg, bodies.encoded("PNG")), JSON),
    }
    pages = {
        "/status": "application/json",
        "/model": "application/json",
        "/health/live": "application/json",
        "/health/ready": "application/json",
        "/openapi.json": "application/json",
        "/metrics": "text/plain; version=1.0.0; charset=utf-8",
        "/docs": "text/html; charset=utf-8",
        "/": "text/html; charset=utf-8",
        "/phantom.jpg": "image/jpeg",
    }
    return [
        *(Case(f"reads {name}", ask, 200) for name, ask in raw.items()),
        *(Case(f"reads a picture {name}", ask, 200) for name, ask in ways.items()),
        Case("reads the sound one of two files", _predict(bodies.multipart(jpeg, b"text"), MULTIPART), 200, "not_a_picture"),
        Case("reads the sound one of two instances", _predict(bodies.instances(b"text", jpeg), JSON), 200, "not_a_picture"),
        *(Case(f"gets {path}", Ask("GET", path), 200, media_type=media_type) for path, media_type in pages.items()),
        Case("answers HEAD without a body", Ask("HEAD", "/health/live"), 200),
    ]


def _refused_pictures() -> list[Case]:
    jpeg = bodies.jpeg()
    return [
        Case("refuses an empty body", _predict(b""), 400, "empty_body"),
        Case("refuses text", _predict(b"this is not a picture"), 422, "not_a_picture"),
        Case("refuses a truncated JPEG", _predict(jpeg[: len(jpeg) // 2]), 422, "truncated_picture"),
        Case("refuses a damaged PNG", _predict(_damaged(bodies.encoded("PNG"))), 422, "corrupt_picture"),
        Case("refuses 30,000 x 30,000 pixels", _predict(bodies.huge_png()), 413, "picture_too_large"),
        Case("refuses 16 x 16 pixels", _predict(_tiny()), 422, "picture_too_small"),
        Case("refuses an animated GIF", _predict(bodies.animation("GIF")), 422, "several_frames"),
        Case("refuses an animated WebP", _predict(bodies.animation("WEBP")), 422, "several_frames"),
        Case("refuses a TIFF of two pages", _predict(bodies.animation("TIFF")), 422, "several_frames"),
        Case("refuses a PDF", _predict(b"%PDF-1.7 and so on"), 415, "unsupported_format"),
    ]


def _refused_requests() -> list[Case]:
    jpeg = bodies.jpeg()
    return [
        Case("refuses 60 MB", _predict(bytes(60_000_000)), 413, "body_too_large"),
        Case("refuses text/plain", _predict(jpeg, {"Content-Type": "text/plain"}), 415, "unsupported_media_type"),
        Case("refuses a form without a boundary", _predict(jpeg, {"Content-Type": "multipart/form-data"}), 400, "malformed_body"),
        Case("refuses a broken form", _predict(jpeg, MULTIPART), 400, "malformed_body"),
        Case("refuses a form without a file", _predict(bodies.multipart(), MULTIPART), 400, "no_picture"),
        Case("refuses broken JSON", _predict(b"{", JSON), 400, "malformed_body"),
        Case("refuses JSON of another shape", _predict(b'{"instances": [{"url": "x"}]}', JSON), 400, "malformed_body"),
        Case("refuses no instances", _predict(b'{"instances": []}', JSON), 400, "no_picture"),
        Case("refuses an unknown operating point", _predict(jpeg, query={"operating_point": "lucky"}), 400, "invalid_parameter"),
        Case("refuses a misspelt parameter", _predict(jpeg, query={"opperating_point": "screening"}), 400, "invalid_parameter"),
        Case("refuses deeply nested JSON", _predict(b'{"x":' + b"[" * 100_000, JSON), 400, "malformed_body"),
        Case("refuses more instances than may be", _predict(bodies.instances(*[b""] * 65), JSON), 413, "too_many_pictures"),
        Case("refuses a form of very many fields", _predict(bodies.fields(500), MULTIPART), 413, "too_many_pictures"),
        Case("refuses a route with a slash behind it", Ask("GET", "/docs/"), 404, "unknown_route"),
        Case("refuses an unknown explanation", _predict(jpeg, query={"explain": "words"}), 400, "invalid_parameter"),
        Case("refuses GET /predict", Ask("GET", "/predict"), 405, "method_not_allowed"),
        Case("refuses PUT /predict", Ask("PUT", "/predict", jpeg), 405, "method_not_allowed"),
        Case("refuses DELETE /status", Ask("DELETE", "/status"), 405, "method_not_allowed"),
        Case("refuses POST /health/ready", Ask("POST", "/health/ready"), 405, "method_not_allowed"),
        Case("refuses an unknown route", Ask("GET", "/nowhere"), 404, "unknown_route"),
        Case("refuses an unknown route below a known one", Ask("POST", "/predict/more", jpeg), 404, "unknown_route"),
        Case("refuses neither length nor bytes", _predict(b"", chunked=True), 411, "length_required"),
    ]


def _deployed_otherwise() -> list[Case]:
    jpeg = bodies.jpeg()
    key = {"X-API-Key": KEY}
    three, two = bodies.instances(jpeg, jpeg, jpeg), bodies.multipart(jpeg, jpeg)
    small = [
        Case("refuses three instances where two are allowed", _predict(three, {**JSON, **key}), 413, "too_many_pictures"),
        Case(
            "refuses a form of many files where two are allowed",
            _predict(bodies.multipart(*[jpeg] * 20), MULTIPART | key),
            413,
            "too_many_pictures",
        ),
        Case("reads two files where two are allowed", _predict(two, MULTIPART | key), 200),
        Case("refuses a missing key", _predict(jpeg), 401, "unauthorized"),
        Case("refuses a wrong key", _predict(jpeg, {"X-API-Key": "wrong"}), 401, "unauthorized"),
        Case("reads with the right key", _predict(jpeg, key), 200),
        Case("is ready without a key", Ask("GET", "/health/ready"), 200),
    ]
    broken = {"no-model": "model_unavailable", "invalid-settings": "invalid_settings"}
    return [
        *(case._replace(deployment="small") for case in small),
        *(
            Case(f"{name}: {verb} {path}", Ask(verb, path, body), 503, code, deployment=name)
            for name, code in broken.items()
            for verb, path, body in (("POST", "/predict", jpeg), ("GET", "/health/ready", b""), ("GET", "/model", b""))
        ),
        *(Case(f"{name}: stays alive", Ask("GET", "/health/live"), 200, deployment=name) for name in broken),
        *(Case(f"{name}: tells its status", Ask("GET", "/status"), 200, deployment=name) for name in broken),
    ]


def _upload(
    body: bytes, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, token: str | None = TOKEN
) -> Ask:
    admin = {} if token is None else {"X-Admin-Token": token}
    return Ask("POST", "/upload-data", body, {**(headers or {}), **admin}, query or {})


def _uploads() -> list[Case]:
    jpeg, png = bodies.jpeg(), bodies.encoded("PNG")
    normal = {"label": "normal"}

    def form(*files: bytes, label: str = "viral pneumonia") -> Ask:
        return _upload(bodies.multipart(*files, field="label", value=label), headers=MULTIPART)

    kept = [
        Case("stores a picture", _upload(jpeg, normal), 200),
        Case("stores one file of a form", form(png), 200),
        Case("stores two files of a form", form(png, bodies.encoded("BMP")), 200),
        Case("stores a picture under its label's slug", _upload(bodies.encoded("TIFF"), {"label": "bacterial-pneumonia"}), 200),
        Case("stores a picture of a new kind", _upload(bodies.encoded("JPEG", "RGB"), {"label": "fungal pneumonia"}), 200),
        Case("stores one instance", _upload(bodies.instances(jpeg), normal, JSON), 200),
        Case("stores the sound one of two files", form(b"text", png), 200, "not_a_picture"),
        Case("stores the new one of two files", form(seeded(), png), 200, "label_conflict"),
    ]
    refused = [
        Case("refuses to store text", _upload(b"text", normal), 422, "not_a_picture"),
        Case("refuses to store another label's picture", _upload(seeded(), normal), 409, "label_conflict"),
        Case("refuses an upload without a label", _upload(jpeg), 400, "unknown_label"),
        Case("refuses an unknown label", _upload(jpeg, {"label": "nromal"}), 400, "unknown_label"),
        Case("refuses an unknown label in a form", form(jpeg, label="../normal"), 400, "unknown_label"),
        Case("refuses a parameter of predictions", _upload(jpeg, {"explain": "heatmap"}), 400, "invalid_parameter"),
        Case("refuses an empty upload", _upload(b"", normal), 400, "empty_body"),
        Case("refuses an upload without the token", _upload(jpeg, normal, token=None), 401, "admin_unauthorized"),
        Case("refuses an upload with a wrong token", _upload(jpeg, normal, token="wrong"), 401, "admin_unauthorized"),
        Case("refuses GET /upload-data", Ask("GET", "/upload-data"), 405, "method_not_allowed"),
    ]
    elsewhere = {
        "default": (403, "admin_routes_off"),
        "store-without-token": (403, "admin_routes_off"),
        "no-store": (503, "no_store"),
        "broken-store": (503, "store_unavailable"),
    }
    return [
        *(case._replace(deployment="store") for case in (*kept, *refused)),
        *(Case(f"{name}: POST /upload-data", _upload(jpeg, normal), *answer, deployment=name) for name, answer in elsewhere.items()),
        Case("broken-store: reads a picture", _predict(jpeg), 200, deployment="broken-store"),
    ]


def seeded() -> bytes:
    """The picture that every store has already"""
    return bodies.encoded("WEBP", "RGB")


def seed(folder: Path, deployment: str) -> None:
    """Put a picture into a store that it then has already, as bacterial pneumonia; and where it is busy, a job."""
    if deployment == "busy":
        job = folder / "jobs" / "00000001"
        job.mkdir(parents=True)
        (job / "request.json").write_bytes(b'{"at":9999999999.0,"request_id":"r"}')  # of the year 2286: never stale
    sha256 = hashlib.sha256(seeded()).hexdigest()
    record = {"sha256": sha256, "label": "bacterial pneumonia", "format": "webp", "width_px": 512, "height_px": 512}
    place = folder / "uploads" / "bacterial-pneumonia"
    place.mkdir(parents=True)
    (place / f"{sha256}.webp").write_bytes(seeded())
    more = {"size_bytes": len(seeded()), "stored_at": "2026-01-01T00:00:00+00:00", "request_id": "seed"}
    (place / f"{sha256}.json").write_bytes(msgspec.json.encode(record | more))


def _models() -> list[Case]:
    version = models.installed_version(BAKED_MODEL)
    activate = f"/models/{version}/activate"
    wrong = {"X-Admin-Token": "wrong"}
    cases = [
        Case("activates the installed version", Ask("POST", activate, headers=ADMIN), 200),
        Case("activates what is active", Ask("POST", activate, headers=ADMIN, query={"reason": "again"}), 200),
        Case("lists the models", Ask("GET", "/models"), 200),
        Case("refuses a version that is not there", Ask("POST", "/models/none/activate", headers=ADMIN), 404, "unknown_version"),
        Case(
            "refuses a package that fails its self-test",
            Ask("POST", f"/models/{BROKEN_VERSION}/activate", headers=ADMIN),
            422,
            "package_refused",
        ),
        Case("refuses a wrong admin token", Ask("POST", activate, headers=wrong), 401, "admin_unauthorized"),
        Case("refuses a missing admin token", Ask("POST", activate), 401, "admin_unauthorized"),
        Case("refuses a misspelt reason", Ask("POST", activate, headers=ADMIN, query={"raeson": "x"}), 400, "invalid_parameter"),
        Case("refuses GET on an activation", Ask("GET", activate), 405, "method_not_allowed"),
        Case("refuses an activation of nothing", Ask("POST", "/models//activate", headers=ADMIN), 404, "unknown_route"),
        Case("refuses a path below a version", Ask("POST", f"/models/{version}/more/activate", headers=ADMIN), 404, "unknown_route"),
    ]
    return [
        *(case._replace(deployment="living") for case in cases),
        Case("keeps routes that change something off", Ask("POST", activate, headers=ADMIN), 403, "admin_routes_off"),
        Case("says that models need a store", Ask("GET", "/models"), 503, "no_store"),
        Case("says that the store is down", Ask("GET", "/models"), 503, "store_unavailable", deployment="broken-store"),
        Case(
            "activates nothing while the store is down",
            Ask("POST", activate, headers=ADMIN),
            503,
            "store_unavailable",
            deployment="broken-store",
        ),
    ]


def _retraining() -> list[Case]:
    asked = Ask("POST", "/retrain", headers=ADMIN)
    return [
        Case("tells that nobody can run a job", asked, 502, "launcher_failed", deployment="store"),
        Case("refuses a second job", asked, 409, "job_running", deployment="busy"),
        Case("lists jobs", Ask("GET", "/retrain"), 200, deployment="busy"),
        Case("tells of a job", Ask("GET", "/retrain/00000001"), 200, deployment="busy"),
        Case("tells of a job without its zeros", Ask("GET", "/retrain/1"), 200, deployment="busy"),
        Case("refuses an unknown job", Ask("GET", "/retrain/00000002"), 404, "unknown_job", deployment="busy"),
        Case("refuses DELETE /retrain", Ask("DELETE", "/retrain/1"), 405, "method_not_allowed", deployment="busy"),
        Case("refuses to retrain without a token", Ask("POST", "/retrain"), 401, "admin_unauthorized", deployment="busy"),
        Case(
            "refuses a wrong token", Ask("POST", "/retrain", headers={"X-Admin-Token": "x"}), 401, "admin_unauthorized", deployment="busy"
        ),
        Case("retrains nothing where no token is set", asked, 403, "admin_routes_off"),
        Case("needs a store to retrain", asked, 503, "no_store", deployment="no-store"),
        Case("needs a store to list jobs", Ask("GET", "/retrain"), 503, "no_store"),
        Case("tells that the store does not answer", asked, 503, "store_unavailable", deployment="broken-store"),
    ]


def _damaged(png: bytes) -> bytes:
    """Flip bytes in the middle of the pixel data, so that the checksum is wrong."""
    middle = len(png) // 2
    return png[:middle] + bytes(255 - value for value in png[middle : middle + 64]) + png[middle + 64 :]


def _tiny() -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (16, 16)).save(stream, "PNG")
    return stream.getvalue()


CASES = (
    *_good(),
    *_refused_pictures(),
    *_refused_requests(),
    *_deployed_otherwise(),
    *_uploads(),
    *_models(),
    *_retraining(),
)
