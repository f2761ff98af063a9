"""The answer to a picture that the guard refuses, and its place among others. Beside `core.contract`."""

from core.contract import NOTICE, Answer, Guard, ImageFacts, ItemError, ModelIdentity, Prediction, Timing


class Rejected(Answer, frozen=True, kw_only=True, tag_field="status", tag="rejected"):
    """The answer to a picture that the guard refuses: no probability. Alone its status is 422, among several it has its place."""

    request_id: str
    model: ModelIdentity
    guard: Guard
    image: ImageFacts
    timing_ms: Timing
    notice: str = NOTICE


class Predictions(Answer, frozen=True, kw_only=True):
    """The answers to several pictures, in their order."""

    predictions: tuple[Prediction | Rejected | ItemError, ...]


def rejected(prediction: Prediction) -> Rejected:
    """Return what a caller sees of a picture that the guard refuses."""
    return Rejected(
        request_id=prediction.request_id,
        model=prediction.model,
        guard=prediction.guard,
        image=prediction.image,
        timing_ms=prediction.timing_ms,
    )
