"""Pictures to answers: asks the classifier, heeds its guard, counts and records. Called by `core.endpoints`."""

from typing import NamedTuple

from core import contract, errors
from core.classifier import Classifier
from core.manifest import OperatingPoint
from core.metrics import Metrics
from core.records import Recorder
from core.rejections import Rejected, rejected
from core.settings import Settings

ItemAnswer = contract.Prediction | Rejected | contract.ItemError


class Ask(NamedTuple):
    """What a request for predictions wants of each of its pictures."""

    classifier: Classifier
    point: OperatingPoint
    request_id: str
    explain: bool
    advise: bool


class Answering:
    """Answers for the pictures of one process; thread-safe."""

    def __init__(self, settings: Settings, metrics: Metrics, recorder: Recorder | None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._recorder = recorder

    def one(self, ask: Ask, picture: bytes, most_pixels: int) -> contract.Prediction | Rejected:
        """Answer for one picture; one that the guard refuses gets no probability, unless the caller wants the guard's advice only."""
        limit = min(self._settings.max_pixels, most_pixels)
        prediction = ask.classifier.classify(picture, ask.point, ask.request_id, limit, ask.explain)
        refused = prediction.guard.verdict == "refuse" and not ask.advise
        answer = rejected(prediction) if refused else prediction
        self._metrics.count_answer(answer)
        if self._recorder is not None:
            self._recorder.add(answer)
        return answer

    def each(self, ask: Ask, pictures: tuple[bytes, ...]) -> tuple[ItemAnswer, ...]:
        """Answer for several pictures: one that cannot be read does not spoil the others, and all share one allowance of pixels."""
        answers: list[ItemAnswer] = []
        pixels_left = self._settings.max_request_pixels
        for picture in pictures:
            try:
                answer = self.one(ask, picture, pixels_left)
                pixels_left -= answer.image.width_px * answer.image.height_px
                answers.append(answer)
            except errors.PictureError as error:
                self._metrics.count_error(error.code)
                answers.append(contract.ItemError(request_id=ask.request_id, code=error.code, detail=str(error)))
        return tuple(answers)


def decision_of(answer: ItemAnswer) -> str:
    """Return what the log line says of an answer."""
    if isinstance(answer, contract.Prediction):
        return answer.pneumonia.decision
    return "rejected" if isinstance(answer, Rejected) else answer.code
