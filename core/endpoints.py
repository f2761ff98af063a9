"""What each route answers. `core.api` finds the route, and turns what is raised here into an answer."""

from collections.abc import Mapping
from time import monotonic
from typing import Final, NamedTuple

import msgspec

from core import bodies, contract, errors, living
from core.active import Active, Serving, overview
from core.answering import Answering, Ask, decision_of
from core.classifier import Classifier
from core.contract import JSON_TYPE, Request
from core.launch import Launcher
from core.metrics import CONTENT_TYPE as METRICS_TYPE
from core.metrics import Metrics
from core.records import Recorder
from core.rejections import Predictions, Rejected
from core.settings import Settings
from core.store import Store
from core.uploads import Uploads, find_label, outcome_of
from core.watch import Retraining, Watch

_PARAMETERS: Final = ("operating_point", "explain", "guard")
_UPLOAD_PARAMETERS: Final = ("label", "guard")
_ACTIVATION_PARAMETERS: Final = ("reason",)
_PLATFORM_PARAMETERS: Final = ("code", "clientId", "key")  # keys of Azure Functions and of API gateways, which pass them on
_LONGEST_REASON: Final = 200


class Outcome(NamedTuple):
    """What an endpoint gives back: a body of some type, and what the log line should say of it."""

    body: bytes
    media_type: str = JSON_TYPE
    status: int = 200
    headers: Mapping[str, str] = {}
    log: Mapping[str, object] = {}


class Endpoints:
    """The answers of one process: its settings, its model or the reason why there is none, its counters. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        active: Active,
        metrics: Metrics,
        store: Store | None = None,
        recorder: Recorder | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.settings = settings
        self.launcher = launcher
        self._given_store = store
        self._watch = Watch(store, settings.job_stale_s) if store else None
        self._active = active
        self._metrics = metrics
        self._uploads = Uploads(settings, metrics)
        self._answering = Answering(settings, metrics, recorder)
        self._started = monotonic()

    @property
    def active(self) -> Active:
        """What holds the model that serves."""
        return self._active

    @property
    def identity(self) -> contract.ModelIdentity | None:
        """The model that serves, None while there is none."""
        return _identity(self._active.serving)

    def predict(self, request: Request, request_id: str) -> Outcome:
        """Answer for one picture, or for several."""
        classifier = self._classifier()
        _check_parameters(request, _PARAMETERS)
        point = classifier.operating_point(request.query.get("operating_point"))
        explain = _wants_heatmap(request)
        ask = Ask(classifier, point, request_id, explain, _wants_advice(request))
        pictures = bodies.read_pictures(request, self.settings)
        if not pictures.several:
            answer = self._answering.one(ask, pictures.items[0], self.settings.max_pixels)
            status = 422 if isinstance(answer, Rejected) else 200
            said = {"decision": decision_of(answer), "guard": answer.guard.verdict, "model_version": classifier.identity.version}
            return Outcome(msgspec.json.encode(answer), status=status, log=said)
        answers = self._answering.each(ask, pictures.items)
        decisions = [decision_of(answer) for answer in answers]
        log = {"decisions": decisions, "model_version": classifier.identity.version}
        return Outcome(msgspec.json.encode(Predictions(predictions=answers)), log=log)

    def upload(self, request: Request, request_id: str) -> Outcome:
        """Store labelled pictures, and say what became of each once that is durable."""
        classifier, store = self._classifier(), self.store
        _check_parameters(request, _UPLOAD_PARAMETERS)
        pictures = bodies.read_pictures(request, self.settings)
        given = request.query.get("label", pictures.fields.get("label"))
        label = find_label(given, (*(label.name for label in classifier.manifest.labels), *self.settings.extra_labels))
        outcomes = self._uploads.take(store, pictures, label, request_id, classifier, _wants_advice(request))
        log = {"uploads": [outcome_of(outcome) for outcome in outcomes]}
        return as_json(living.Uploads(request_id=request_id, label=label, uploads=outcomes))._replace(log=log)

    def status(self, _request: Request, _request_id: str) -> Outcome:
        """Tell how this instance is doing."""
        serving = self._active.serving
        retraining = self._watch.tell() if self._watch else Retraining()
        return as_json(
            contract.Status(
                uptime_s=round(monotonic() - self._started, 3),
                predictions_served=self._metrics.predictions_served,
                model=_identity(serving),
                model_error=None if isinstance(serving.model, Classifier) else str(serving.model),
                model_since=serving.since if isinstance(serving.model, Classifier) else None,
                promotion=serving.promotion,
                last_retrained=retraining.last,
                running_job=retraining.running_id,
                last_reload_error=self._active.last_error,
            )
        )

    def models(self, _request: Request, _request_id: str) -> Outcome:
        """Tell which versions there are, which is active and how it came to be."""
        return as_json(overview(self.store, self.settings.model, self.identity))

    def activate(self, request: Request, _request_id: str) -> Outcome:
        """Promote a version by hand, or go back to one."""
        _check_parameters(request, _ACTIVATION_PARAMETERS)
        _ = self.store  # says why there is none
        promotion = self._active.activate(request.parameters["version"], request.query.get("reason", "")[:_LONGEST_REASON])
        return Outcome(msgspec.json.encode(promotion), log={"promotion": promotion.number, "model_version": promotion.version})

    def model(self, _request: Request, _request_id: str) -> Outcome:
        """Tell what the model is, what it was measured to do and what it must not be used for."""
        classifier = self._classifier()
        manifest = classifier.manifest
        return as_json(
            contract.ModelCard(
                model=classifier.identity,
                labels=tuple(
                    contract.PublicLabel(name=label.name, code=label.code, negative=label.name == manifest.negative)
                    for label in manifest.labels
                ),
                operating_points=manifest.operating_points,
                default_operating_point=manifest.default_operating_point,
                input=manifest.input,
                metrics=manifest.metrics,
                dataset=manifest.origin.dataset,
                initial_weights=manifest.origin.initial_weights,
                created=manifest.origin.created,
                parent_version=manifest.origin.parent_version,
                intended_use=manifest.intended_use,
                for_children=manifest.for_children,
                limits=manifest.limits,
            )
        )

    def live(self, _request: Request, _request_id: str) -> Outcome:
        """Say that the process answers."""
        return as_json(contract.Health(status="alive"))

    def ready(self, _request: Request, _request_id: str) -> Outcome:
        """Say that the model is loaded and has passed its self-test, or raise why not."""
        self._classifier()
        return as_json(contract.Health(status="ready"))

    def metrics(self, _request: Request, _request_id: str) -> Outcome:
        """Give the counters to Prometheus."""
        return Outcome(self._metrics.render(), METRICS_TYPE)

    def _classifier(self) -> Classifier:
        """Return the classifier that serves now: a request asks once, and answers with it to its end."""
        model = self._active.serving.model
        if isinstance(model, Classifier):
            return model
        raise model

    @property
    def store(self) -> Store:
        """What outlives this instance, or the reason why the route cannot do without."""
        if self._given_store is None:
            raise errors.NoStore("Expected PNEUMONIA_STORE to name an object store, or a folder as file:///…. Received: no such setting.")
        return self._given_store


def _check_parameters(request: Request, known: tuple[str, ...]) -> None:
    """Refuse a parameter that is none of ours: a misspelt operating point must not pass as the default one."""
    unknown = sorted(set(request.query) - set(known) - set(_PLATFORM_PARAMETERS))
    if unknown:
        raise errors.InvalidParameter(f"Expected no query parameter but {', '.join(known)}. Received: {unknown[0][:32]!r}.")


def _wants_heatmap(request: Request) -> bool:
    explain = request.query.get("explain")
    if explain not in (None, "heatmap"):
        raise errors.InvalidParameter(f"Invalid `explain`: Expected heatmap. Received: {explain[:32]!r}.")
    return explain is not None


def _wants_advice(request: Request) -> bool:
    """Whether the guard may only advise, as for a picture that a person has looked at."""
    guard = request.query.get("guard")
    if guard not in (None, "advise"):
        raise errors.InvalidParameter(f"Invalid `guard`: Expected advise. Received: {guard[:32]!r}.")
    return guard is not None


def _identity(serving: Serving) -> contract.ModelIdentity | None:
    return serving.model.identity if isinstance(serving.model, Classifier) else None


def as_json(answer: contract.Answer) -> Outcome:
    """Return an answer as the outcome of a route."""
    return Outcome(msgspec.json.encode(answer))
