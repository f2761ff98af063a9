"""What the contract promises: requests with the status, the code or the type of their answer. Every route and every error is here."""

from tests.contract import bodies, dicom_cases, guard_cases, living_cases
from tests.contract.deployments import JSON, KEY, MULTIPART, Case, predict
from tests.contract.doors import Ask


def _good() -> list[Case]:
    jpeg = bodies.jpeg()
    raw = {
        f"{file_format.lower()}-{mode.lower().replace(';', '')}": predict(bodies.encoded(file_format, mode))
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
        "without a content type": predict(jpeg),
        "as image/jpeg": predict(jpeg, {"Content-Type": "image/jpeg"}),
        "as octets": predict(jpeg, {"Content-Type": "application/octet-stream"}),
        "as curl --data-binary sends it": predict(jpeg, {"Content-Type": "application/x-www-form-urlencoded"}),
        "at another operating point": predict(jpeg, query={"operating_point": "screening"}),
        "with a heat map": predict(jpeg, query={"explain": "heatmap"}),
        "one file in a form": predict(bodies.multipart(jpeg), MULTIPART),
        "two files in a form": predict(bodies.multipart(jpeg, bodies.encoded("PNG")), MULTIPART),
        "one instance": predict(bodies.instances(jpeg), JSON),
        "two instances": predict(bodies.instances(jpeg, bodies.encoded("PNG")), JSON),
    }
    pages = {
        "/status": "application/json",
        "/model": "application/json",
        "/health/live": "application/json",
        "/health/ready": "application/json",
        "/openapi.json": "application/json",
        "/metrics": "text/plain; version=1.0.0; charset=utf-8",
        "/model/card": "text/markdown; charset=utf-8",
        "/model/report": "application/json",
        "/model/report/roc.svg": "image/svg+xml",
        "/model/report/history.csv": "text/csv; charset=utf-8",
        "/docs": "text/html; charset=utf-8",
        "/": "text/html; charset=utf-8",
        "/phantom.jpg": "image/jpeg",
    }
    return [
        *(Case(f"reads {name}", ask, 200) for name, ask in raw.items()),
        *(Case(f"reads a picture {name}", ask, 200) for name, ask in ways.items()),
        Case("reads the sound one of two files", predict(bodies.multipart(jpeg, b"text"), MULTIPART), 200, "not_a_picture"),
        Case("reads the sound one of two instances", predict(bodies.instances(b"text", jpeg), JSON), 200, "not_a_picture"),
        *(Case(f"gets {path}", Ask("GET", path), 200, media_type=media_type) for path, media_type in pages.items()),
        *(Case(f"previews {name}", ask._replace(path="/preview"), 200, media_type="image/png") for name, ask in raw.items()),
        Case(
            "previews the one file of a form",
            predict(bodies.multipart(jpeg), MULTIPART)._replace(path="/preview"),
            200,
            media_type="image/png",
        ),
        Case("answers HEAD without a body", Ask("HEAD", "/health/live"), 200),
    ]


def _refused_pictures() -> list[Case]:
    jpeg = bodies.jpeg()
    return [
        Case("refuses an empty body", predict(b""), 400, "empty_body"),
        Case("refuses text", predict(b"this is not a picture"), 422, "not_a_picture"),
        Case("refuses a truncated JPEG", predict(jpeg[: len(jpeg) // 2]), 422, "truncated_picture"),
        Case("refuses a damaged PNG", predict(_damaged(bodies.encoded("PNG"))), 422, "corrupt_picture"),
        Case("refuses 30,000 x 30,000 pixels", predict(bodies.huge_png()), 413, "picture_too_large"),
        Case("refuses 16 x 16 pixels", predict(_tiny()), 422, "picture_too_small"),
        Case("refuses an animated GIF", predict(bodies.animation("GIF")), 422, "several_frames"),
        Case("refuses an animated WebP", predict(bodies.animation("WEBP")), 422, "several_frames"),
        Case("refuses a TIFF of two pages", predict(bodies.animation("TIFF")), 422, "several_frames"),
        Case("refuses a PDF", predict(b"%PDF-1.7 and so on"), 415, "unsupported_format"),
    ]


def _refused_requests() -> list[Case]:
    jpeg = bodies.jpeg()
    two = predict(bodies.multipart(jpeg, jpeg), MULTIPART)
    return [
        Case("refuses to preview two files", two._replace(path="/preview"), 413, "too_many_pictures"),
        Case("refuses to preview text", Ask("POST", "/preview", b"this is not a picture"), 422, "not_a_picture"),
        Case("refuses to preview nothing", Ask("POST", "/preview", b""), 400, "empty_body"),
        Case("refuses POST /", Ask("POST", "/"), 405, "method_not_allowed"),
        Case("refuses 60 MB", predict(bytes(60_000_000)), 413, "body_too_large"),
        Case("refuses text/plain", predict(jpeg, {"Content-Type": "text/plain"}), 415, "unsupported_media_type"),
        Case("refuses a form without a boundary", predict(jpeg, {"Content-Type": "multipart/form-data"}), 400, "malformed_body"),
        Case("refuses a broken form", predict(jpeg, MULTIPART), 400, "malformed_body"),
        Case("refuses a form without a file", predict(bodies.multipart(), MULTIPART), 400, "no_picture"),
        Case("refuses broken JSON", predict(b"{", JSON), 400, "malformed_body"),
        Case("refuses JSON of another shape", predict(b'{"instances": [{"url": "x"}]}', JSON), 400, "malformed_body"),
        Case("refuses no instances", predict(b'{"instances": []}', JSON), 400, "no_picture"),
        Case("refuses an unknown operating point", predict(jpeg, query={"operating_point": "lucky"}), 400, "invalid_parameter"),
        Case("refuses a misspelt parameter", predict(jpeg, query={"opperating_point": "screening"}), 400, "invalid_parameter"),
        Case("refuses deeply nested JSON", predict(b'{"x":' + b"[" * 100_000, JSON), 400, "malformed_body"),
        Case("refuses more instances than may be", predict(bodies.instances(*[b""] * 65), JSON), 413, "too_many_pictures"),
        Case("refuses a form of very many fields", predict(bodies.fields(500), MULTIPART), 413, "too_many_pictures"),
        Case("refuses a route with a slash behind it", Ask("GET", "/docs/"), 404, "unknown_route"),
        Case("refuses an unknown explanation", predict(jpeg, query={"explain": "words"}), 400, "invalid_parameter"),
        Case("refuses GET /predict", Ask("GET", "/predict"), 405, "method_not_allowed"),
        Case("refuses PUT /predict", Ask("PUT", "/predict", jpeg), 405, "method_not_allowed"),
        Case("refuses DELETE /status", Ask("DELETE", "/status"), 405, "method_not_allowed"),
        Case("refuses POST /health/ready", Ask("POST", "/health/ready"), 405, "method_not_allowed"),
        Case("refuses an unknown route", Ask("GET", "/nowhere"), 404, "unknown_route"),
        Case("refuses an unknown route below a known one", Ask("POST", "/predict/more", jpeg), 404, "unknown_route"),
        Case("refuses neither length nor bytes", predict(b"", chunked=True), 411, "length_required"),
    ]


_PAPERS = ("/model/card", "/model/report", "/model/report/roc.svg")


def _papers() -> list[Case]:
    return [
        Case("has no figure of another name", Ask("GET", "/model/report/nothing.svg"), 404, "unknown_file"),
        Case("hands out no file beside the report", Ask("GET", "/model/report/network.tflite"), 404, "unknown_file"),
        Case("hands out no file below the report", Ask("GET", "/model/report/a/b.svg"), 404, "unknown_route"),
        Case("refuses POST /model/card", Ask("POST", "/model/card"), 405, "method_not_allowed"),
        Case("says that a package has no card", Ask("GET", "/model/card"), 404, "unknown_file", deployment="bare"),
        Case("lists an empty report", Ask("GET", "/model/report"), 200, deployment="bare"),
    ]


def _deployed_otherwise() -> list[Case]:
    jpeg = bodies.jpeg()
    key = {"X-API-Key": KEY}
    three, two = bodies.instances(jpeg, jpeg, jpeg), bodies.multipart(jpeg, jpeg)
    small = [
        Case("refuses three instances where two are allowed", predict(three, {**JSON, **key}), 413, "too_many_pictures"),
        Case(
            "refuses a form of many files where two are allowed",
            predict(bodies.multipart(*[jpeg] * 20), MULTIPART | key),
            413,
            "too_many_pictures",
        ),
        Case("reads two files where two are allowed", predict(two, MULTIPART | key), 200),
        Case("refuses a missing key", predict(jpeg), 401, "unauthorized"),
        Case("refuses a wrong key", predict(jpeg, {"X-API-Key": "wrong"}), 401, "unauthorized"),
        Case("reads with the right key", predict(jpeg, key), 200),
        Case("refuses to preview without a key", Ask("POST", "/preview", jpeg), 401, "unauthorized"),
        Case("gets the page without a key", Ask("GET", "/"), 200, media_type="text/html; charset=utf-8"),
        Case("is ready without a key", Ask("GET", "/health/ready"), 200),
    ]
    broken = {"no-model": "model_unavailable", "invalid-settings": "invalid_settings"}
    return [
        *(case._replace(deployment="small") for case in small),
        *(
            Case(f"{name}: {verb} {path}", Ask(verb, path, body), 503, code, deployment=name)
            for name, code in broken.items()
            for verb, path, body in (("POST", "/predict", jpeg), *(("GET", path, b"") for path in ("/health/ready", "/model", *_PAPERS)))
        ),
        *(Case(f"{name}: gives the page", Ask("GET", "/"), 200, media_type="text/html; charset=utf-8", deployment=name) for name in broken),
        *(Case(f"{name}: stays alive", Ask("GET", "/health/live"), 200, deployment=name) for name in broken),
        *(Case(f"{name}: tells its status", Ask("GET", "/status"), 200, deployment=name) for name in broken),
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
    *guard_cases.CASES,
    *_refused_pictures(),
    *_refused_requests(),
    *_papers(),
    *_deployed_otherwise(),
    *dicom_cases.CASES,
    *living_cases.CASES,
)
