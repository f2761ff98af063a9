"""What each route answers. `core.api` finds the route, and turns what is raised here into an answer."""

from collections.abc import Mapping
from time import monotonic, time
from typing import Final, NamedTuple

import msgspec

from core import bodies, contract, errors, jobs, pages, phantom
from core.classifier import Classifier
from core.contract import JSON_TYPE, Request
from core.launch import Launcher
from core.manifest import OperatingPoint
from core.metrics import CONTENT_TYPE as METRICS_TYPE
from core.metrics import Metrics
from core.settings import Settings
from core.store import Store

_PARAMETERS: Final = ("operating_point", "explain")
_PLATFORM_PARAMETERS: Final = ("code", "clientId", "key")  # keys of Azure Functions and of API gateways, which pass them on


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
        model: Classifier | errors.ServiceError,
        metrics: Metrics,
        store: Store | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.settings = settings
        self._given_store = store
        self._launcher = launcher
        self._model = model
        self._metrics = metrics
        self._started = monotonic()
        if isinstance(model, Classifier):
            metrics.show_model(model.identity)

    @property
    def identity(self) -> contract.ModelIdentity | None:
        """The model that serves, None while there is none."""
        return self._model.identity if isinstance(self._model, Classifier) else None

    def predict(self, request: Request, request_id: str) -> Outcome:
        """Answer for one picture, or for several."""
        classifier = self._classifier()
        _check_parameters(request)
        point = classifier.operating_point(request.query.get("operating_point"))
        explain = _wants_heatmap(request)
        pictures = bodies.read_pictures(request, self.settings)
        if not pictures.several:
            prediction = self._classify(classifier, pictures.items[0], point, request_id, explain, self.settings.max_pixels)
            return Outcome(msgspec.json.encode(prediction), log={"decision": prediction.pneumonia.decision})
        answers = self._answer_each(classifier, pictures.items, point, request_id, explain)
        decisions = [answer.pneumonia.decision if isinstance(answer, contract.Prediction) else answer.code for answer in answers]
        return Outcome(msgspec.json.encode(contract.Predictions(predictions=answers)), log={"decisions": decisions})

    def status(self, _request: Request, _request_id: str) -> Outcome:
        """Tell how this instance is doing."""
        return _json(
            contract.Status(
                uptime_s=round(monotonic() - self._started, 3),
                predictions_served=self._metrics.predictions_served,
                model=self.identity,
                model_error=None if isinstance(self._model, Classifier) else str(self._model),
                last_retrained=None,
                running_job=None,
                last_reload_error=None,
            )
        )

    def model(self, _request: Request, _request_id: str) -> Outcome:
        """Tell what the model is, what it was measured to do and what it must not be used for."""
        classifier = self._classifier()
        manifest = classifier.manifest
        return _json(
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
                limits=manifest.limits,
            )
        )

    def retrain(self, _request: Request, request_id: str) -> Outcome:
        """Ask for a retraining and for somebody who runs it."""
        store, stale_s = self._store, self.settings.job_stale_s
        job = jobs.create(store, request_id, stale_s)
        try:
            if self._launcher is not None:
                self._launcher.launch(job.id)
        except errors.LauncherFailed as error:
            if jobs.refuse(store, job, str(error)):
                raise
        answer = _json(jobs.find(store, job.id).shown(stale_s, time()))
        return answer._replace(status=202, headers={"Location": f"/retrain/{job.id}"}, log={"job": job.id})

    def retrainings(self, _request: Request, _request_id: str) -> Outcome:
        """Tell of the latest retrainings."""
        shown = tuple(job.shown(self.settings.job_stale_s, time()) for job in jobs.recent(self._store))
        return _json(contract.RetrainJobs(jobs=shown))

    def retraining(self, request: Request, _request_id: str) -> Outcome:
        """Tell how a retraining stands."""
        return _json(jobs.find(self._store, request.parameters["id"]).shown(self.settings.job_stale_s, time()))

    def live(self, _request: Request, _request_id: str) -> Outcome:
        """Say that the process answers."""
        return _json(contract.Health(status="alive"))

    def ready(self, _request: Request, _request_id: str) -> Outcome:
        """Say that the model is loaded and has passed its self-test, or raise why not."""
        self._classifier()
        return _json(contract.Health(status="ready"))

    def metrics(self, _request: Request, _request_id: str) -> Outcome:
        """Give the counters to Prometheus."""
        return Outcome(self._metrics.render(), METRICS_TYPE)

    def sample(self, _request: Request, _request_id: str) -> Outcome:
        """Give a synthetic picture to try the service with."""
        return Outcome(phantom.jpeg(), "image/jpeg")

    def page(self, _request: Request, _request_id: str) -> Outcome:
        """Give the page that explains the routes and tries them."""
        page = pages.docs()
        return Outcome(page.html, "text/html; charset=utf-8", headers=page.headers)

    def _classifier(self) -> Classifier:
        if isinstance(self._model, Classifier):
            return self._model
        raise self._model

    @property
    def _store(self) -> Store:
        """What outlives this instance, or the reason why the route cannot do without."""
        if self._given_store is None:
            raise errors.NoStore("Expected PNEUMONIA_STORE to name an object store, or a folder as file:///…. Received: no such setting.")
        return self._given_store

    def _answer_each(
        self, classifier: Classifier, pictures: tuple[bytes, ...], point: OperatingPoint, request_id: str, explain: bool
    ) -> tuple[contract.Prediction | contract.ItemError, ...]:
        """Answer for several pictures: one that cannot be read does not spoil the others, and all share one allowance of pixels."""
        answers: list[contract.Prediction | contract.ItemError] = []
        pixels_left = self.settings.max_request_pixels
        for picture in pictures:
            try:
                answer = self._classify(classifier, picture, point, request_id, explain, pixels_left)
                pixels_left -= answer.image.width_px * answer.image.height_px
                answers.append(answer)
            except errors.PictureError as error:
                self._metrics.count_error(error.code)
                answers.append(contract.ItemError(request_id=request_id, code=error.code, detail=str(error)))
        return tuple(answers)

    def _classify(
        self, classifier: Classifier, picture: bytes, point: OperatingPoint, request_id: str, explain: bool, most_pixels: int
    ) -> contract.Prediction:
        prediction = classifier.classify(picture, point, request_id, min(self.settings.max_pixels, most_pixels), explain)
        self._metrics.count_prediction(prediction)
        return prediction


def _check_parameters(request: Request) -> None:
    """Refuse a parameter that is none of ours: a misspelt operating point must not pass as the default one."""
    unknown = sorted(set(request.query) - set(_PARAMETERS) - set(_PLATFORM_PARAMETERS))
    if unknown:
        raise errors.InvalidParameter(f"Expected the query parameters {' and '.join(_PARAMETERS)}. Received: {unknown[0][:32]!r}.")


def _wants_heatmap(request: Request) -> bool:
    explain = request.query.get("explain")
    if explain not in (None, "heatmap"):
        raise errors.InvalidParameter(f"Invalid `explain`: Expected heatmap. Received: {explain[:32]!r}.")
    return explain is not None


def _json(answer: contract.Answer) -> Outcome:
    return Outcome(msgspec.json.encode(answer))
