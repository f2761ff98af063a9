"""What an instance counts, as Prometheus text for `/metrics`. Labels are bounded: no path, id or file name that a caller chose.

Counting is plain numbers behind a lock; prometheus_client, which takes 40 ms to import, comes in when somebody asks for the text.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core import drift
from core.contract import Guard, ModelIdentity, Prediction
from core.manifest import Manifest
from core.rejections import Rejected

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily, Metric

CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
# Seconds. A picture of 1.8 megapixels takes about 10 ms, one of 25 about 200.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_FEWEST_FOR_DRIFT: Final = 100  # pictures: of fewer the index says more about chance than about the model


class Metrics:
    """The counters of one service; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[tuple[str]] = Counter()
        self._decisions: Counter[tuple[str]] = Counter()
        self._uploads: Counter[tuple[str]] = Counter()
        self._verdicts: Counter[tuple[str]] = Counter()
        self._refusals: Counter[tuple[str]] = Counter()
        self._reload_errors: Counter[tuple[str]] = Counter()
        self._probabilities: dict[str, _Histogram] = {}
        self._stages = {stage: _Histogram(_BUCKETS) for stage in ("decode", "network", "total")}
        self._model: ModelIdentity | None = None
        self._reference: drift.Reference | None = None
        self._distances: dict[str, _Histogram] = {}
        self._distance_reference: drift.Reference | None = None

    @property
    def predictions_served(self) -> int:
        """Pictures answered since the start."""
        with self._lock:
            return self._decisions.total()

    def count_request(self, route: str, status: int) -> None:
        """Count one answered request."""
        with self._lock:
            self._requests[route, str(status)] += 1

    def count_error(self, code: str) -> None:
        """Count one refused request or picture."""
        with self._lock:
            self._errors[(code,)] += 1

    def count_upload(self, outcome: str) -> None:
        """Count one picture of an upload: stored, duplicate, refused or conflict."""
        with self._lock:
            self._uploads[(outcome,)] += 1

    def count_rejection(self, guard: Guard) -> None:
        """Count one picture that the guard refused, by each reason."""
        with self._lock:
            self._refusals.update((reason,) for reason in guard.reasons)

    def count_answer(self, answer: Prediction | Rejected) -> None:
        """Count one answered picture, or one that the guard refused, with the time it took."""
        timing, guard, version = answer.timing_ms, answer.guard, answer.model.version
        if isinstance(answer, Rejected):
            self.count_rejection(guard)
        with self._lock:
            self._verdicts[(guard.verdict,)] += 1
            if guard.distance is not None and version in self._distances:
                self._distances[version].add(guard.distance)
            if isinstance(answer, Prediction):
                self._decisions[(answer.pneumonia.decision,)] += 1
                self._probabilities.setdefault(version, _Histogram(drift.BOUNDS)).add(answer.pneumonia.probability)
            for stage, milliseconds in (("decode", timing.decode), ("network", timing.network), ("total", timing.total)):
                self._stages[stage].add(milliseconds / 1000.0)

    def count_reload_error(self, code: str) -> None:
        """Count one look for a promoted model that ended in an error."""
        with self._lock:
            self._reload_errors[(code,)] += 1

    def show_model(self, identity: ModelIdentity, manifest: Manifest | None = None) -> None:
        """Show which model serves, and what its probabilities and its guard's distances are held against."""
        guard = manifest.guard if manifest else None
        with self._lock:
            self._model = identity
            self._reference = drift.reference(manifest.metrics) if manifest else None
            self._distance_reference = drift.distance_reference(guard)
            if guard is not None and guard.distance_bounds:
                self._distances.setdefault(identity.version, _Histogram(guard.distance_bounds))

    def render(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> "Iterator[Metric]":
        """Yield all counters as prometheus_client's values: what its registry asks a collector for."""
        with self._lock:
            families = list(self._families())
        yield from families

    def _families(self) -> "Iterator[Metric]":
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        for name, help_text, labels, counts in (
            ("pneumonia_requests", "Requests answered.", ("route", "status"), self._requests),
            ("pneumonia_errors", "Requests and pictures refused, by code.", ("code",), self._errors),
            ("pneumonia_decisions", "Pictures answered, by decision.", ("decision",), self._decisions),
            ("pneumonia_uploads", "Labelled pictures received, by outcome.", ("outcome",), self._uploads),
            ("pneumonia_guard", "Pictures looked at, by the guard's verdict.", ("verdict",), self._verdicts),
            ("pneumonia_guard_refusals", "Pictures that the guard refused, by reason.", ("reason",), self._refusals),
            ("pneumonia_reload_errors", "Looks for a promoted model that failed, by code.", ("code",), self._reload_errors),
        ):
            counter = CounterMetricFamily(name, help_text, labels=labels)
            for values, count in counts.items():
                counter.add_metric(values, count)
            yield counter
        seconds = HistogramMetricFamily("pneumonia_stage_seconds", "Time a picture took.", labels=("stage",))
        for stage, measured in self._stages.items():
            seconds.add_metric((stage,), measured.cumulative(), measured.sum)
        yield seconds
        model = GaugeMetricFamily("pneumonia_model_info", "1 for the model that serves.", labels=("name", "version"))
        if self._model:
            model.add_metric((self._model.name, self._model.version), 1)
        yield model
        given = HistogramMetricFamily("pneumonia_probability", "Probability of pneumonia, by model version.", labels=("version",))
        for version, histogram in self._probabilities.items():
            given.add_metric((version,), histogram.cumulative(), histogram.sum)
        yield given
        far = HistogramMetricFamily("pneumonia_guard_distance", "Distance from the training pictures, by version.", labels=("version",))
        for version, histogram in self._distances.items():
            far.add_metric((version,), histogram.cumulative(), histogram.sum)
        yield far
        for name, help_text, histograms, reference in (
            ("pneumonia_probability_psi", "Shift of the probability since measured.", self._probabilities, self._reference),
            ("pneumonia_guard_distance_psi", "Shift of the distance since measured.", self._distances, self._distance_reference),
        ):
            yield self._drift(GaugeMetricFamily(name, help_text, labels=("version",)), histograms, reference)

    def _drift(
        self, gauge: "GaugeMetricFamily", histograms: "Mapping[str, _Histogram]", reference: drift.Reference | None
    ) -> "GaugeMetricFamily":
        """Add the index of the model that serves, where it has a reference and enough pictures."""
        histogram = histograms.get(self._model.version) if self._model else None
        if self._model and histogram and reference and sum(histogram.counts) >= _FEWEST_FOR_DRIFT:
            gauge.add_metric((self._model.version,), drift.psi(histogram.counts[: len(reference.shares)], reference))
        return gauge


class _Histogram:
    """How many values at most each bound, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.sum = 0.0
        self.counts = [0] * (len(bounds) + 1)
        self._bounds = bounds

    def add(self, value: float) -> None:
        self.sum += value
        self.counts[bisect_left(self._bounds, value)] += 1

    def cumulative(self) -> list[tuple[str, int]]:
        """Return (upper bound, how many at most that), as Prometheus counts."""
        bounds = [*(str(bound) for bound in self._bounds), "+Inf"]
        return [(bound, sum(self.counts[: index + 1])) for index, bound in enumerate(bounds)]
