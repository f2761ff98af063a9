"""`pneumonia smoke` on broken services: each fails, at the check that is meant to see it."""

import itertools
from collections.abc import Callable, Mapping

import msgspec
import pytest

from tests.cli.smoking import faults, smoke
from tests.contract.doors import Answer, Ask, CoreDoor
from tests.support.altered import Change, serve


def _every(**changes: object) -> Change:
    return lambda _, answer: answer._replace(**changes)  # type: ignore[arg-type]


def _on(path: str, change: Callable[[Answer], Answer], method: str = "POST") -> Change:
    return lambda ask, answer: change(answer) if (ask.path, ask.method) == (path, method) else answer


def _without(name: str) -> Change:
    return lambda _, answer: answer._replace(headers={other: value for other, value in answer.headers.items() if other != name})


def _edited(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    def edit(answer: Answer) -> Answer:
        assert answer.status >= 400 or old in answer.body
        return answer._replace(body=answer.body.replace(old, new))

    return edit


def _opened(ask: Ask, answer: Answer) -> Answer:
    """A deployment that forgot to look at the admin token."""
    if ask.path == "/retrain" and ask.method == "POST":
        raise AssertionError("A retraining was asked for although the token is not looked at.")
    return Answer(200, answer.headers, b"{}") if ask.path == "/upload-data" else answer


def _in_turns() -> Change:
    """Two instances with different models behind one address."""
    turn = itertools.count()

    def change(answer: Answer) -> Answer:
        return answer._replace(body=answer.body.replace(b'"probability":0.', b'"probability":0.1', 1)) if next(turn) % 2 else answer

    return _on("/predict", change)


def _map_taken(answer: Answer) -> Answer:
    if b'"heatmap_png_b64"' not in answer.body:
        return answer
    return answer._replace(body=msgspec.json.encode({**msgspec.json.decode(answer.body), "explanation": None}))


def _first_alone(answer: Answer) -> Answer:
    said = msgspec.json.decode(answer.body)
    if "predictions" not in said:
        return answer
    return answer._replace(body=msgspec.json.encode({"predictions": said["predictions"][:1]}))


def _guard_off() -> Change:
    """A deployment whose guard refuses nothing: it answers what it answered last."""
    answered: list[Answer] = []

    def change(answer: Answer) -> Answer:
        if answer.status == 200:
            answered.append(answer)
        return answered[-1] if b'"status":"rejected"' in answer.body else answer

    return _on("/predict", change)


def _replaced(old: bytes, new: bytes) -> Change:
    """Edit the answers of `/predict` that hold something."""
    return _on("/predict", lambda answer: answer._replace(body=answer.body.replace(old, new)))


def _errors(**changes: object) -> Change:
    return lambda _, answer: answer if answer.status < 400 else answer._replace(**changes)  # type: ignore[arg-type]


RELOAD_ERROR = b'"last_reload_error":{"at":"","code":"x","detail":"the digest is wrong"}'
BROKEN: Mapping[str, tuple[Change, str]] = {
    "another site": (_every(status=200, headers={"content-type": "text/html"}, body=b"<html>hello</html>"), "is ready"),
    "a redirect": (_every(status=302, headers={"location": "https://elsewhere"}, body=b""), "is ready"),
    "no request id": (_without("x-request-id"), "is ready"),
    "answers that are cached": (_without("cache-control"), "is ready"),
    "types that are guessed": (_without("x-content-type-options"), "is ready"),
    "405 without the methods": (_without("allow"), "refuses GET /predict"),
    "every picture refused": (_on("/predict", lambda answer: answer._replace(status=422)), "reads a picture"),
    "findings that do not sum to 1": (
        _replaced(b'"findings":[{', b'"findings":[{"label":"x","code":"1","probability":0.5},{'),
        "reads a picture",
    ),
    "an answer without the notice": (_replaced(b"Not a medical device.", b"Trust it."), "reads a picture"),
    "an answer of another contract": (_replaced(b'"pneumonia":', b'"lungs":'), "reads a picture"),
    "another model each time": (_in_turns(), "reads a picture as octets"),
    "no heat map": (_on("/predict", _map_taken), "draws a heat map"),
    "the default point whatever was asked": (_replaced(b'"name":"screening"', b'"name":"balanced"'), "reads at screening"),
    "a guard that lets a blank picture pass": (_guard_off(), "lets the guard refuse a blank picture"),
    "a refusal that says accept": (_replaced(b'"verdict":"refuse"', b'"verdict":"accept"'), "lets the guard refuse a blank picture"),
    "a guard that takes no advice for an answer": (
        lambda ask, answer: answer._replace(status=422) if ask.query.get("guard") == "advise" else answer,
        "reads it when the guard may only advise",
    ),
    "a guard that nobody obeys": (_replaced(b'"verdict":"accept"', b'"verdict":"refuse"'), "reads a picture"),
    "one prediction for two files": (_on("/predict", _first_alone), "reads a form of two files"),
    "errors in HTML": (_errors(body=b"<html>sorry</html>"), "refuses text"),
    "errors without a type": (_errors(headers={"x-request-id": "pneumonia-smoke"}), "refuses text"),
    "an unguarded admin route": (_opened, "refuses an upload with a wrong admin token"),
    "a route less": (_on("/openapi.json", _edited(b'"/upload-data":', b'"/upload":'), "GET"), "gets /openapi.json with every route"),
    "a reload error": (_on("/status", _edited(b'"last_reload_error":null', RELOAD_ERROR), "GET"), "gets /status of a sound instance"),
    "an empty page": (_on("/docs", lambda answer: answer._replace(body=b""), "GET"), "gets /docs"),
}


@pytest.mark.parametrize(("change", "check"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_service_fails(change: Change, check: str, core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(core, change) as url:
        code, checks = smoke(url, capsys)

    assert code == 1
    assert check in faults(checks)
    assert "Expected" in str(faults(checks)[check])
    assert "Received" in str(faults(checks)[check])


def test_guard_that_refuses_the_drawn_chest_is_said(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    rejected = b'{"status":"rejected","guard":{"verdict":"refuse"}}'

    with serve(core, _on("/predict", lambda answer: answer._replace(status=422, body=rejected) if answer.status == 200 else answer)) as url:
        _, checks = smoke(url, capsys)

    assert "give a real one as --picture" in str(faults(checks)["reads a picture"])
