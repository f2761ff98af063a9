"""What the contract promises: requests with the status, the code or the type of their answer. Every route and every error is here."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.contract import bodies
from tests.contract.doors import Ask

KEY = "a-key-of-the-tests"
ADMIN = {"X-Admin-Token": "an-admin-token-of-the-tests"}
STORE = "{store}"  # a folder of its own for every door
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={bodies.BOUNDARY}"}
JSON = {"Content-Type": "application/json"}

# What a deployment was given; one process a door and deployment.
DEPLOYMENTS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "small": {"PNEUMONIA_MAX_PICTURES": "2", "PNEUMONIA_API_KEY": KEY},
    "store": {
        "PNEUMONIA_STORE": STORE,
        "PNEUMONIA_ADMIN_TOKEN": ADMIN["X-Admin-Token"],
        "PNEUMONIA_LAUNCHER": "process",
        "PNEUMONIA_RETRAIN_COMMAND": "nowhere/pneumonia retrain",
    },
    "busy": {"PNEUMONIA_STORE": STORE, "PNEUMONIA_ADMIN_TOKEN": ADMIN["X-Admin-Token"]},
    "no-store": {"PNEUMONIA_ADMIN_TOKEN": ADMIN["X-Admin-Token"]},
    "broken-store": {"PNEUMONIA_STORE": STORE, "PNEUMONIA_ADMIN_TOKEN": ADMIN["X-Admin-Token"]},
    "no-model": {"PNEUMONIA_MODEL": "nowhere"},
    "invalid-settings": {"PNEUMONIA_MAX_PICTURES": "none"},
}

# What lies in a deployment's store when it starts. The job was asked for in the year 2286: it never goes stale.
SEEDS: Mapping[str, Mapping[str, bytes]] = {
    "busy": {"jobs/00000001/request.json": b'{"at":9999999999.0,"request_id":"r"}'},
    "broken-store": {"jobs": b"a file in the way of the folder"},
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


CASES = (*_good(), *_refused_pictures(), *_refused_requests(), *_deployed_otherwise(), *_retraining())
