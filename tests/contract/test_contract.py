"""Every route and every error through every door: the promised answer, and the same bytes everywhere."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core import errors
from core.contract import ItemError, ModelCard, Prediction, Problem, Status
from core.guard import REASONS
from core.living import ConflictingPicture, DuplicatePicture, RefusedPicture, StoredPicture, Uploads
from core.rejections import Predictions, Rejected
from core.routes import ROUTES, template_of
from tests.contract import bodies
from tests.contract.cases import CASES
from tests.contract.conftest import DOORS, Open
from tests.contract.deployments import JSON, Case
from tests.contract.doors import Answer, Ask, HttpDoor, google

REQUEST_ID = "contract-1"
OUR_HEADERS = (
    "content-type",
    "x-request-id",
    "cache-control",
    "x-content-type-options",
    "allow",
    "location",
    "www-authenticate",
    "content-security-policy",
)
# What may differ between two answers to the same request: clocks and counters.
# Whether a picture is new depends on what this door was asked before.
CLOCKS = re.compile(
    rb'"(decode|network|total|uptime_s|predictions_served)":[0-9.e-]+|"(model_since)":"[^"]+"|(?<="outcome":)"(stored|duplicate)"'
)

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
every_door = pytest.mark.parametrize("door", DOORS)


def send(open_door: Open, door: str, case: Case) -> Answer:
    ask = case.ask._replace(headers={**case.ask.headers, "X-Request-Id": REQUEST_ID})
    return open_door(door, case.deployment).ask(ask)


@every_case
@every_door
def test_door_answers_as_the_contract_says(open_door: Open, door: str, case: Case) -> None:
    answer = send(open_door, door, case)

    assert answer.status == case.status, answer.body[:500]
    assert answer.headers["x-request-id"] == REQUEST_ID
    if case.verdict == "refuse" and answer.status == 422:
        check_rejected(answer)
    elif answer.status >= 400:
        problem = msgspec.json.decode(answer.body, type=Problem)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (problem.code, problem.status, problem.request_id) == (case.code, case.status, REQUEST_ID)
        assert "Expected" in problem.detail or "Invalid" in problem.detail
        assert "Received" in problem.detail
    else:
        assert answer.headers["content-type"] == case.media_type
        if case.ask.path.startswith("/predict"):
            check_prediction(case, answer)
        if case.ask.path == "/upload-data":
            check_upload(case, answer)


def check_rejected(answer: Answer) -> None:
    rejected = msgspec.json.decode(answer.body, type=Rejected)
    assert answer.headers["content-type"] == "application/json"
    assert rejected.request_id == REQUEST_ID
    assert rejected.guard.verdict == "refuse"
    assert any(REASONS[reason][0] == "refuse" for reason in rejected.guard.reasons)
    assert b'pneumonia":' not in answer.body
    assert rejected.notice == "Research use. Not a medical device."


def check_upload(case: Case, answer: Answer) -> None:
    outcomes = msgspec.json.decode(answer.body, type=Uploads).uploads
    assert len(outcomes) == (2 if "two files" in case.name else 1)
    verdicts = [outcome.guard.verdict for outcome in outcomes if isinstance(outcome, StoredPicture | DuplicatePicture)]
    assert case.verdict is None or verdicts == [case.verdict]
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, RefusedPicture | ConflictingPicture)]
    assert codes == ([case.code] if case.code else [])


def check_prediction(case: Case, answer: Answer) -> None:
    several = case.ask.headers.get("Content-Type", "").startswith("application/json") or "two files" in case.name
    verdict = case.verdict
    if several:
        items = msgspec.json.decode(answer.body, type=Predictions).predictions
    else:
        items = (msgspec.json.decode(answer.body, type=Prediction),)
    for item in items:
        if isinstance(item, ItemError):
            assert item.code == case.code
            continue
        assert verdict is None or item is not items[0] or item.guard.verdict == verdict
        if isinstance(item, Rejected):
            continue
        assert sum(finding.probability for finding in item.findings) == pytest.approx(1.0, abs=1e-9)
        normal = next(finding for finding in item.findings if finding.label == "normal")
        assert item.pneumonia.probability == pytest.approx(1.0 - normal.probability, abs=1e-9)
        assert item.notice == "Research use. Not a medical device."
        assert (item.explanation is not None) == (case.ask.query.get("explain") == "heatmap")
    assert case.code is None or any(isinstance(item, ItemError) for item in items)


@pytest.mark.parametrize("case", [case for case in CASES if case.ask.path != "/metrics"], ids=lambda case: case.name.replace(" ", "-"))
def test_every_door_gives_the_same_bytes(open_door: Open, case: Case) -> None:
    core, google, azure = (send(open_door, door, case) for door in DOORS)

    for answer in (google, azure):
        assert answer.status == core.status
        assert CLOCKS.sub(b"", answer.body) == CLOCKS.sub(b"", core.body)
        assert {name: answer.headers.get(name) for name in OUR_HEADERS} == {name: core.headers.get(name) for name in OUR_HEADERS}


def test_cases_cover_every_error() -> None:
    promised = {error.code for error in errors.leaves()}

    # internal_error is what no request should be able to cause: tests/core/test_api.py causes it. What an installation without pydicom
    # answers, tests/core/test_dicom_refusals.py asks one.
    assert {case.code for case in CASES if case.code} == promised - {"internal_error", "dicom_support_missing"}


def test_cases_cover_every_route() -> None:
    assert {(case.ask.method, template_of(case.ask.path)[0]) for case in CASES} >= {(route.method, route.path) for route in ROUTES}


def test_google_takes_a_chunked_body(open_door: Open) -> None:
    answer = open_door("google", "default").ask(Ask("POST", "/predict", bodies.jpeg(), chunked=True))

    assert answer.status == 200


def test_google_refuses_a_chunked_body_that_never_ends(open_door: Open) -> None:
    answer = open_door("google", "default").ask(Ask("POST", "/predict", bytes(40 * 1024 * 1024), chunked=True))

    assert msgspec.json.decode(answer.body, type=Problem).code == "body_too_large"


def test_azure_says_that_it_needs_the_length_of_a_chunked_body(open_door: Open) -> None:
    answer = open_door("azure", "default").ask(Ask("POST", "/predict", bodies.jpeg(), chunked=True))

    assert (answer.status, msgspec.json.decode(answer.body, type=Problem).code) == (411, "length_required")


@every_door
def test_metrics_count_what_was_asked(open_door: Open, door: str) -> None:
    opened = open_door(door, "default")
    before = opened.ask(Ask("GET", "/status"))
    opened.ask(Ask("POST", "/predict", bodies.jpeg()))
    after = opened.ask(Ask("GET", "/status"))
    text = opened.ask(Ask("GET", "/metrics")).body.decode()

    served = [msgspec.json.decode(answer.body, type=Status).predictions_served for answer in (before, after)]
    assert served[1] == served[0] + 1
    assert 'pneumonia_requests_total{route="/predict",status="200"}' in text
    assert 'pneumonia_stage_seconds_bucket{le="0.01",stage="network"}' in text


@every_door
def test_model_shows_the_points_that_predict_takes(open_door: Open, door: str) -> None:
    opened = open_door(door, "default")
    card = msgspec.json.decode(opened.ask(Ask("GET", "/model")).body, type=ModelCard)

    for point in card.operating_points:
        answer = opened.ask(Ask("POST", "/predict", bodies.jpeg(), query={"operating_point": point.name}))
        used = msgspec.json.decode(answer.body, type=Prediction).pneumonia.operating_point
        assert (used.name, used.threshold) == (point.name, point.threshold)


@every_door
def test_status_says_why_there_is_no_model(open_door: Open, door: str) -> None:
    status = msgspec.json.decode(open_door(door, "no-model").ask(Ask("GET", "/status")).body, type=Status)

    assert status.model is None
    assert "nowhere" in (status.model_error or "")


ATTACKS = {
    "30,000 x 30,000 pixels, where Pillow refuses": lambda: Ask("POST", "/predict", bodies.huge_png()),
    "9,000 x 9,000 pixels, where only core refuses": lambda: Ask("POST", "/predict", bodies.huge_png(9_000)),
    "60 MB": lambda: Ask("POST", "/predict", bytes(60_000_000)),
    "a million empty instances": lambda: Ask("POST", "/predict", b'{"instances": [' + b'{"b64": ""},' * 999_999 + b'{"b64": ""}]}', JSON),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_refusals_take_no_memory(attack: Callable[[], Ask]) -> None:
    """In a process of its own, whose largest peak so far is that of one sound picture: refusing costs the body and little more."""
    ask = attack()
    with google({}) as door:
        door.ask(Ask("POST", "/predict", bodies.jpeg()))
        before = peak_mib(door.pid)

        answer = door.ask(ask)

        assert answer.status == 413
        kept_mib = len(ask.body) / 2**20 if len(ask.body) < 32 * 2**20 else 0.0  # what is within the limit is read, a few copies of it
        assert peak_mib(door.pid) - before < 20 + 3 * kept_mib


def test_caller_who_breaks_off_or_sends_no_chunks_is_not_our_fault(open_door: Open) -> None:
    door = open_door("google", "default")
    assert isinstance(door, HttpDoor)
    for body in (b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nab"):
        with socket.create_connection(("127.0.0.1", door.port), timeout=10) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            assert b" 400 " in connection.recv(64)


def peak_mib(pid: int) -> float:
    """The peak resident memory of a process and its children in MiB, from /proc."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = [line for child in (pid, *children) for line in Path(f"/proc/{child}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
