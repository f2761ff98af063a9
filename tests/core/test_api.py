"""What only core can show: the one place that makes a 500, and the one log line a request."""

import io
import logging
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from core import images
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import ItemError, Prediction, Problem, Request
from core.logs import LOGGER
from core.phantom import jpeg
from core.rejections import Predictions
from tests.contract.bodies import instances


@pytest.fixture(scope="module")
def service() -> Service:
    return bootstrap({})


class Records(logging.Handler):
    """Keeps what the service logs."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record)


@pytest.fixture
def records(service: Service) -> Iterator[list[logging.LogRecord]]:
    handler = Records()
    LOGGER.addHandler(handler)
    yield handler.kept
    LOGGER.removeHandler(handler)


def ask(path: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None) -> Request:
    length = {"content-length": str(len(body))} if body else {}
    return Request(method=method, path=path, query={}, headers={**length, **(headers or {})}, body=io.BytesIO(body))


def explode(*_: object) -> images.Picture:
    raise RuntimeError("a secret of the inside")


def test_unexpected_error_is_a_500_that_tells_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, records: list[logging.LogRecord]
) -> None:
    # The decoder is replaced because no bytes are known to make it fail like this: that is the point of the 500.
    monkeypatch.setattr(images, "decode", explode)

    response = service.handle(ask("/predict", "POST", jpeg(), {"x-request-id": "the-id"}))

    problem = msgspec.json.decode(response.body, type=Problem)
    assert (response.status, problem.code, problem.request_id) == (500, "internal_error", "the-id")
    assert "secret" not in problem.detail
    assert any(record.exc_info and "secret" in str(record.exc_info[1]) for record in records)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "id\nSet-Cookie: a=b", "é"])
def test_request_id_that_a_log_cannot_hold_is_replaced(service: Service, given: str) -> None:
    response = service.handle(ask("/health/live", headers={"x-request-id": given}))

    assert response.headers["X-Request-Id"] != given
    assert len(response.headers["X-Request-Id"]) == 32


def test_body_is_not_read_where_no_route_wants_it(service: Service) -> None:
    class Untouchable:
        def read(self, size: int, /) -> bytes:
            raise AssertionError("the body was read")

    request = Request(method="POST", path="/nowhere", query={}, headers={"content-length": "5"}, body=Untouchable())

    assert service.handle(request).status == 404


def test_body_that_declares_too_much_is_refused_unread(service: Service) -> None:
    class Untouchable:
        def read(self, size: int, /) -> bytes:
            raise AssertionError("the body was read")

    request = Request(method="POST", path="/predict", query={}, headers={"content-length": "999999999"}, body=Untouchable())

    assert service.handle(request).status == 413


def test_each_request_writes_one_line_without_what_the_caller_chose(service: Service, records: list[logging.LogRecord]) -> None:
    service.handle(ask("/patients/Jane-Doe", headers={"x-request-id": "the-id"}))

    [record] = records
    fields = vars(record)["fields"]
    assert (fields["request_id"], fields["route"], fields["status"], fields["code"]) == ("the-id", "unknown", 404, "unknown_route")
    assert "Jane" not in str(fields)


ODD = "\udc80"  # half of a character: what a header that is not UTF-8 becomes on the way in


@pytest.mark.parametrize(
    "request_",
    [
        ask("/predict", ODD),
        ask("/predict", "POST", b"x", {"content-type": f"text/{ODD}"}),
        ask("/predict", "POST", b"x", {"content-length": "9" * 5000}),
        ask("/predict", "POST", b"x", {"x-request-id": ODD}),
        ask(f"/{ODD}"),
    ],
    ids=["method", "content type", "length", "request id", "path"],
)
def test_odd_text_is_refused_and_never_raises(service: Service, request_: Request) -> None:
    assert 400 <= service.handle(request_).status < 500


def test_odd_key_is_a_wrong_key() -> None:
    guarded = bootstrap({"PNEUMONIA_API_KEY": "a-key"})

    assert guarded.handle(ask("/predict", "POST", jpeg(), {"x-api-key": ODD})).status == 401
    assert guarded.handle(ask("/predict", "POST", jpeg(), {"x-api-key": "a-key"})).status == 200


def test_pictures_of_one_request_share_an_allowance_of_pixels() -> None:
    frugal = bootstrap({"PNEUMONIA_MAX_REQUEST_PIXELS": str(512 * 512 + 1)})
    body = instances(jpeg(), jpeg())

    response = frugal.handle(ask("/predict", "POST", body, {"content-type": "application/json"}))

    first, second = msgspec.json.decode(response.body, type=Predictions).predictions
    assert isinstance(first, Prediction)
    assert isinstance(second, ItemError)
    assert second.code == "picture_too_large"
