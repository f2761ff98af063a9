"""How `pneumonia smoke` holds an answer against the contract: status, code, headers, types, and what each kind of answer must hold."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from cli.endpoint import Answer
from core.contract import NOTICE, PROBLEM_TYPE, ItemError, ModelCard, Prediction, Problem, Status
from core.rejections import Predictions, Rejected

REQUEST_ID = "pneumonia-smoke"
_HEADERS = {"x-request-id": REQUEST_ID, "cache-control": "no-store", "x-content-type-options": "nosniff"}
_ROUNDING = 1e-9
_UNKNOWN_CALLER = (401, 403)
Look = Callable[[Answer], str | None]
"""Looks at an answer whose status and headers are right; returns what is wrong as a sentence, or None."""


class Wanted(NamedTuple):
    """One answer that is right. `platform` may come from what stands before the service, in whatever form."""

    status: int
    code: str | None = None
    platform: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.code}" if self.code else str(self.status)


class Result(NamedTuple):
    """What came of one check; `fault` is the sentence that says what is wrong."""

    name: str
    wanted: tuple[Wanted, ...]
    received: str
    milliseconds: float | None
    fault: str | None


def judge(answer: Answer, wanted: tuple[Wanted, ...], look: Look | None = None) -> str | None:
    """Return what is wrong with an answer as a sentence, or None."""
    problem = problem_of(answer)
    code = problem.code if problem else None
    fitting = next((one for one in wanted if one.status == answer.status and (one.platform or one.code == code)), None)
    if fitting is None:
        hint = " A key is missing or wrong: see pneumonia smoke --help." if answer.status in _UNKNOWN_CALLER else ""
        if b'"status":"rejected"' in answer.body:
            hint = " The guard refuses the drawn chest: give a real one as --picture."
        detail = f": {problem.detail}" if problem else "."
        return f"Expected {' or '.join(map(str, wanted))}. Received: {describe(answer)}{detail}{hint}"
    if fitting.platform and problem is None:
        return None
    for name, value in _HEADERS.items():
        if answer.headers.get(name) != value:
            return f"Expected the header {name}: {value}. Received: {answer.headers.get(name, 'none')[:64]}."
    # What the guard refuses has 422 and is no problem but an answer, at which `look` looks.
    return (_fault_of_a_problem(answer) if problem and answer.status >= 400 else None) or (_look(answer, look) if look else None)


def describe(answer: Answer) -> str:
    """Return an answer's status, with its code where it is a problem."""
    problem = problem_of(answer)
    return f"{answer.status} {problem.code}" if problem else str(answer.status)


def problem_of(answer: Answer) -> Problem | None:
    """Return an answer as problem details, or None where it is something else."""
    try:
        return msgspec.json.decode(answer.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _fault_of_a_problem(answer: Answer) -> str | None:
    problem = problem_of(answer)
    if problem is None or answer.headers.get("content-type") != PROBLEM_TYPE:
        return f"Expected {PROBLEM_TYPE}. Received: {answer.headers.get('content-type', 'no type')[:64]}."
    if problem.status != answer.status or problem.request_id != REQUEST_ID or "Received" not in problem.detail:
        return f"Expected the problem to have its status, the request id and a sentence. Received: {answer.body[:200]!r}."
    return None


def _look(answer: Answer, look: Look) -> str | None:
    """Look, and turn an answer that is none of the contract's types into a sentence."""
    try:
        return look(answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"Expected an answer as core.contract has it. Received: {error}"


def has_type(media_type: str) -> Look:
    """Look for a media type."""

    def look(answer: Answer) -> str | None:
        found = answer.headers.get("content-type", "none")
        # The version of Prometheus' text is its own matter.
        fits = found.partition(";")[0] == media_type.partition(";")[0] if answer.status < 400 else True
        if not fits or not answer.body:
            return f"Expected a body of {media_type}. Received: {len(answer.body)} bytes of {found[:64]}."
        return None

    return look


def is_empty(answer: Answer) -> str | None:
    """Look for no body."""
    return f"Expected no body. Received: {len(answer.body)} bytes." if answer.body else None


def allows_others(answer: Answer) -> str | None:
    """Look for the methods that a route takes."""
    return None if answer.headers.get("allow") else "Expected the header allow. Received: none."


def is_sound(answer: Answer) -> str | None:
    """Look at `/status` for a model that serves and a store that could be read."""
    status = msgspec.json.decode(answer.body, type=Status)
    if status.model is None:
        return f"Expected a model that serves. Received: {status.model_error}"
    if status.last_reload_error:
        return f"Expected the last look for a promoted model to have gone well. Received: {status.last_reload_error.detail}"
    return None


def has_routes(expected: Iterable[tuple[str, str]]) -> Look:
    """Look at `/openapi.json` for routes, each a path and a method."""

    def look(answer: Answer) -> str | None:
        paths: dict[str, dict[str, object]] = msgspec.json.decode(answer.body, type=dict[str, object]).get("paths", {})  # type: ignore[assignment]
        missing = sorted(f"{method.upper()} {path}" for path, method in expected if method not in paths.get(path, {}))
        return f"Expected every route of this version. Received: none for {', '.join(missing)}." if missing else None

    return look


def is_guarded(answer: Answer) -> str | None:
    """Look at the answer to a picture that is none: refused, or without a guard in the package unchecked."""
    if answer.status == 200:
        verdict = msgspec.json.decode(answer.body, type=Prediction).guard.verdict
        return None if verdict == "unchecked" else f"Expected the guard to refuse. Received: a probability, and the verdict {verdict}."
    item = msgspec.json.decode(answer.body, type=Rejected)
    if item.guard.verdict != "refuse" or not item.guard.reasons or item.notice != NOTICE:
        return f"Expected a refusal with reasons, and the notice. Received: {item.guard.verdict}, {item.notice[:64]!r}."
    return None


def is_advised(answer: Answer) -> str | None:
    """Look at the same when the guard may only advise: a probability, and its verdict beside it."""
    verdict = msgspec.json.decode(answer.body, type=Prediction).guard.verdict
    return None if verdict in ("refuse", "unchecked") else f"Expected the guard's refusal beside the probability. Received: {verdict}."


class Pictures:
    """Looks at what was said of one picture, which must be the same however it was sent."""

    def __init__(self) -> None:
        self.points: dict[str, float] = {}
        """The operating points of `/model` and their thresholds."""
        self._probability: float | None = None

    def card(self, answer: Answer) -> str | None:
        """Look at `/model`, and keep its operating points."""
        card = msgspec.json.decode(answer.body, type=ModelCard)
        self.points = {point.name: point.threshold for point in card.operating_points}
        if card.default_operating_point not in self.points:
            return f"Expected {card.default_operating_point} among the operating points. Received: {', '.join(self.points) or 'none'}."
        return None

    def one(self, answer: Answer) -> str | None:
        """Look at one answer."""
        return self._fault(msgspec.json.decode(answer.body, type=Prediction))

    def several(self, count: int) -> Look:
        """Look at the answers to the same picture sent `count` times."""

        def look(answer: Answer) -> str | None:
            found = msgspec.json.decode(answer.body, type=Predictions).predictions
            if len(found) != count:
                return f"Expected {count} predictions. Received: {len(found)}."
            return next(filter(None, map(self._fault, found)), None)

        return look

    def map(self, answer: Answer) -> str | None:
        """Look for a heat map, or the warning that this package has none."""
        prediction = msgspec.json.decode(answer.body, type=Prediction)
        if prediction.explanation is None and "package_has_no_maps" not in prediction.warnings:
            return "Expected a heat map. Received: none."
        return self._fault(prediction)

    def at(self, name: str, threshold: float) -> Look:
        """Look whether the operating point is the one that was asked for."""

        def look(answer: Answer) -> str | None:
            used = msgspec.json.decode(answer.body, type=Prediction).pneumonia.operating_point
            if (used.name, used.threshold) != (name, threshold):
                return f"Expected {name} with threshold {threshold}. Received: {used.name} with {used.threshold}."
            return self.one(answer)

        return look

    def _fault(self, item: Prediction | Rejected | ItemError) -> str | None:
        if isinstance(item, Rejected):
            return f"Expected a prediction; give another --picture. Received: refused by the guard, {', '.join(item.guard.reasons)}."
        if isinstance(item, ItemError):
            return f"Expected a prediction. Received: {item.code}: {item.detail}"
        if item.guard.verdict == "refuse":
            return "Expected a picture that the guard refuses to get no probability. Received: both."
        probability, total = item.pneumonia.probability, sum(finding.probability for finding in item.findings)
        if abs(total - 1.0) > _ROUNDING or item.notice != NOTICE:
            return f"Expected findings that sum to 1, and the notice. Received: {total:.6f}, {item.notice[:64]!r}."
        if self._probability not in (None, probability):
            return f"Expected the same probability as before, {self._probability}. Received: {probability}."
        self._probability = probability
        return None
