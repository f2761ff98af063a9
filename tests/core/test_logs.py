"""What a deployment's log holds: one JSON object a line, one line a request, and nothing that points to a patient."""

import base64
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from core import logs, phantom
from core.api import Service
from core.bootstrap import bootstrap
from tests.support.pictures import chest, encode
from tests.support.requests import get, post, read

Line = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
LOGGERS = ("pneumonia", "py.warnings", "PIL")


class Log:
    """What a service that starts now writes to standard error."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def start(self, **settings: str) -> Service:
        """Start a service where no handler hangs yet: pytest has hung its own on loggers that do not propagate."""
        for name in LOGGERS:
            logging.getLogger(name).handlers.clear()
        return bootstrap({f"PNEUMONIA_{name.upper()}": value for name, value in settings.items()})

    def lines(self) -> list[Line]:
        """Return and forget what was written; every line must be a JSON object."""
        text = self._capture.readouterr().err
        assert text == "" or text.endswith("\n")
        return [msgspec.json.decode(line) for line in text.splitlines()]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """Stand where a process stands that has not logged yet, and afterwards put everything back."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield Log(capsys)
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def test_answered_picture_is_one_line_with_all_that_operations_need(log: Log) -> None:
    service = log.start()

    answer = read(service.handle(post(phantom.jpeg(), headers={"x-request-id": "abc-1"})))

    [line] = log.lines()
    assert line.pop("milliseconds") > 0.0
    assert line == {
        "severity": "INFO",
        "message": "request",
        "request_id": "abc-1",
        "route": "/predict",
        "status": 200,
        "model_version": answer["model"]["version"],
        "decision": answer["pneumonia"]["decision"],
        "guard": answer["guard"]["verdict"],
    }


REQUESTS: Mapping[str, tuple[Callable[[], Any], Line]] = {
    "a page": (lambda: get("/status"), {"severity": "INFO", "route": "/status", "status": 200}),
    "an unknown route": (
        lambda: get("/patients/DOE^JANE"),
        {"severity": "WARNING", "route": "unknown", "status": 404, "code": "unknown_route"},
    ),
    "a refused picture": (
        lambda: post(b"text"),
        {"severity": "WARNING", "route": "/predict", "status": 422, "code": "not_a_picture"},
    ),
    "a wrong parameter": (
        lambda: post(phantom.jpeg(), query={"operating_point": "DOE^JANE"}),
        {"severity": "WARNING", "route": "/predict", "status": 400, "code": "invalid_parameter"},
    ),
}


@pytest.mark.parametrize(("request_of", "expected"), REQUESTS.values(), ids=REQUESTS.keys())
def test_every_request_is_one_line(log: Log, request_of: Callable[[], Any], expected: Line) -> None:
    service = log.start()

    service.handle(request_of())

    [line] = log.lines()
    assert {name: line.get(name) for name in expected} == expected
    assert "DOE" not in str(line)


def test_several_pictures_are_one_line_with_a_decision_or_a_code_each(log: Log) -> None:
    service = log.start()
    pictures = [phantom.jpeg(), b"text"]
    body = msgspec.json.encode({"instances": [{"b64": base64.b64encode(picture).decode()} for picture in pictures]})

    service.handle(post(body, "application/json"))

    [line] = log.lines()
    assert len(line["decisions"]) == 2
    assert line["decisions"][1] == "not_a_picture"


def test_neither_file_names_nor_headers_nor_bytes_are_logged(log: Log) -> None:
    service = log.start()
    secret = "DOE^JANE"
    form = (
        f'--X\r\nContent-Disposition: form-data; name="{secret}"; filename="{secret}.jpg"\r\n\r\n'.encode()
        + phantom.jpeg()
        + b"\r\n--X--\r\n"
    )

    response = service.handle(
        post(form, "multipart/form-data; boundary=X", headers={"user-agent": secret, "x-request-id": f"{secret} 1980"})
    )

    [line] = log.lines()
    assert response.status == 200
    assert secret not in str(line)
    assert len(str(line)) < 400


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_what_stands_in_a_picture_beside_its_pixels_is_not_logged_at_any_level(log: Log, level: str) -> None:
    service = log.start(log_level=level)
    tags = ImageFileDirectory_v2()
    tags[270] = "DOE^JANE"  # ImageDescription
    image = encode(chest(), "TIFF", tiffinfo=tags)

    assert service.handle(post(image, "image/tiff")).status == 200

    lines = log.lines()
    assert "DOE" not in str(lines)
    assert len(lines) == (0 if level == "ERROR" else 1)


SERVE_ONE = """
import sys
from core.bootstrap import bootstrap
from tests.support.requests import post
bootstrap({}).handle(post(sys.stdin.buffer.read()))
"""
NATIVE = "INFO: Created TensorFlow Lite"  # LiteRT writes to file descriptor 2 by itself, once, at start


def test_what_pillow_says_of_damaged_metadata_is_json_too() -> None:
    exif = Image.Exif()
    exif[0x010E] = "DOE^JANE"
    sound = encode(chest(), "JPEG", exif=exif)
    damaged = sound.replace(b"\x01\x0e\0\x02\0\0\0\x09", b"\x01\x0e\0\x02\0\0\xff\xff")  # a longer description than there is

    # In a process of its own: in this one, pytest listens to warnings before we do.
    done = subprocess.run([sys.executable, "-c", SERVE_ONE], input=damaged, capture_output=True, check=True, cwd=ROOT)

    lines = [msgspec.json.decode(line) for line in done.stderr.decode().splitlines() if not line.startswith(NATIVE)]
    assert [line["message"] for line in lines if "Skipping tag 270" in line["message"]]
    assert lines[-1]["status"] == 200
    assert "DOE" not in str(lines)


def test_failure_of_ours_is_an_error_with_its_traceback_on_one_line(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from core import images

    def explode(*_: object) -> images.Picture:
        raise RuntimeError("boom\nover two lines")

    service = log.start()
    monkeypatch.setattr(images, "decode", explode)

    service.handle(post(phantom.jpeg(), headers={"x-request-id": "abc-2"}))

    failure, line = log.lines()
    assert (failure["severity"], failure["request_id"]) == ("ERROR", "abc-2")
    assert "boom" in failure["exception"]
    assert (line["severity"], line["status"], line["code"]) == ("ERROR", 500, "internal_error")


@pytest.mark.parametrize(("level", "counted"), [("DEBUG", 2), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_level_decides_what_is_written(log: Log, level: str, counted: int) -> None:
    service = log.start(log_level=level)

    service.handle(get("/health/live"))
    service.handle(get("/nowhere"))

    assert len(log.lines()) == counted


TRACES = {
    "a trace": ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "4bf92f3577b34da6a3ce929d0e0e4736"),
    "none": ("", None),
    "nonsense": ("nonsense", None),
    "too many parts": ("00-a-b-c-d", None),
    "not a number": ("00-a b\n-b-01", None),
}


@pytest.mark.parametrize(("header", "trace"), TRACES.values(), ids=TRACES.keys())
def test_trace_of_the_platform_is_taken_over(log: Log, header: str, trace: str | None) -> None:
    service = log.start()

    service.handle(get("/health/live", {"traceparent": header}))

    [line] = log.lines()
    assert line.get("trace") == trace


def test_start_without_a_model_says_why(log: Log) -> None:
    log.start(model="nowhere")

    [line] = log.lines()
    assert (line["severity"], line["code"]) == ("ERROR", "model_unavailable")
    assert "nowhere" in line["detail"]


def test_two_services_in_a_process_do_not_write_twice(log: Log) -> None:
    log.start()
    service = bootstrap({})

    service.handle(get("/health/live"))

    assert len(log.lines()) == 1


def test_fields_that_are_no_json_types_are_written_all_the_same() -> None:
    record = logging.LogRecord("pneumonia", logging.INFO, "", 0, "of %s", ("values",), None)
    record.fields = {"number": 1.5, "list": ("a", None)}

    line = msgspec.json.decode(logs.JsonFormatter().format(record))

    assert line == {"severity": "INFO", "message": "of values", "number": 1.5, "list": ["a", None]}
