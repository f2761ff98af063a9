"""What an instance counts, as Prometheus text for `/metrics`. Labels are bounded: no path, id or file name that a caller chose."""

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.contract import ModelIdentity, Prediction

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds. A picture of 1.8 megapixels takes about 10 ms, one of 40 about 300 ms.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one service; thread-safe. A registry of its own, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("pneumonia_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self._errors = Counter("pneumonia_errors", "Requests and pictures refused, by code.", ["code"], registry=self._registry)
        self._decisions = Counter("pneumonia_decisions", "Pictures answered, by decision.", ["decision"], registry=self._registry)
        self._seconds = Histogram("pneumonia_stage_seconds", "Time a picture took.", ["stage"], buckets=_BUCKETS, registry=self._registry)
        self._served = 0
        self._lock = threading.Lock()
        self._model = Gauge("pneumonia_model_info", "1 for the model that serves.", ["name", "version"], registry=self._registry)

    @property
    def predictions_served(self) -> int:
        """Pictures answered since the start."""
        return self._served

    def count_request(self, route: str, status: int) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()

    def count_error(self, code: str) -> None:
        """Count one refused request or picture."""
        self._errors.labels(code).inc()

    def count_prediction(self, prediction: Prediction) -> None:
        """Count one answered picture with the time it took."""
        with self._lock:
            self._served += 1
        self._decisions.labels(prediction.pneumonia.decision).inc()
        timing = prediction.timing_ms
        for stage, milliseconds in (("decode", timing.decode), ("network", timing.network), ("total", timing.total)):
            self._seconds.labels(stage).observe(milliseconds / 1000.0)

    def show_model(self, identity: ModelIdentity) -> None:
        """Show which model serves."""
        self._model.clear()
        self._model.labels(identity.name, identity.version).set(1)

    def render(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self._registry)
