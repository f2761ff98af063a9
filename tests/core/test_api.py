"""What only core can show: the one place that makes a 500, and the one log line a request."""

import io
import logging
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from core import images
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Problem, Request
from core.logs import LOGGER
from core.phantom import jpeg


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
