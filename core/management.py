"""What `GET /manage` answers: what this deployment lets its administrator do, so that a page can say what is off and why."""

from core.classifier import Classifier
from core.contract import Answer, Request
from core.endpoints import Endpoints, Outcome, as_json


class Management(Answer, frozen=True, kw_only=True):
    """What may be managed here. `labels` are the model's, none while there is none; `launcher` is `none` where nobody starts a job."""

    store: bool
    launcher: str
    base_dataset: bool
    labels: tuple[str, ...]
    extra_labels: tuple[str, ...]
    max_body_bytes: int


def show(endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Tell what may be managed; that it answers at all says that the token is right."""
    settings, model = endpoints.settings, endpoints.active.serving.model
    return as_json(
        Management(
            store=settings.store is not None,
            launcher=settings.launcher,
            base_dataset=settings.base_dataset is not None,
            labels=tuple(label.name for label in model.manifest.labels) if isinstance(model, Classifier) else (),
            extra_labels=tuple(settings.extra_labels),
            max_body_bytes=settings.max_body_bytes,
        )
    )
