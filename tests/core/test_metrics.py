"""What is counted, and that nobody from outside can make the counters grow without bound."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from core import drift, phantom
from core.api import Service
from core.bootstrap import bootstrap
from core.classifier import Classifier
from core.contract import ModelIdentity, Timing
from core.metrics import CONTENT_TYPE, Metrics
from core.routes import ROUTES
from tests.support import living, packages
from tests.support.pictures import encode
from tests.support.requests import get, post, read

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def fresh() -> Service:
    return bootstrap({})


class Look(Protocol):
    """A look-up of the counters: name and labels to value, 0 where there is none."""

    def __call__(self, sample: str, /, **labels: str) -> float: ...


def scrape(service: Service) -> Look:
    text = service.handle(get("/metrics")).body.decode()
    samples: Samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    def look(sample: str, /, **labels: str) -> float:
        return samples.get((sample, frozenset(labels.items())), 0.0)

    return look


def test_answered_picture_is_counted_with_its_decision_and_its_time(fresh: Service) -> None:
    answer = read(fresh.handle(post(phantom.jpeg())))

    value = scrape(fresh)

    assert value("pneumonia_requests_total", route="/predict", status="200") == 1
    assert value("pneumonia_decisions_total", decision=answer["pneumonia"]["decision"]) == 1
    for stage, milliseconds in answer["timing_ms"].items():
        assert value("pneumonia_stage_seconds_count", stage=stage) == 1
        assert value("pneumonia_stage_seconds_sum", stage=stage) == pytest.approx(milliseconds / 1000.0)
        assert value("pneumonia_stage_seconds_bucket", stage=stage, le="+Inf") == 1
    assert value("pneumonia_model_info", name=answer["model"]["name"], version=answer["model"]["version"]) == 1


def test_refusals_are_counted_by_code(fresh: Service) -> None:
    fresh.handle(post(b"text"))
    fresh.handle(get("/nowhere"))
    fresh.handle(post(b'{"instances": [{"b64": ""}, {"b64": "aGk="}]}', "application/json"))

    value = scrape(fresh)

    assert value("pneumonia_errors_total", code="not_a_picture") >= 2
    assert value("pneumonia_errors_total", code="unknown_route") == 1
    assert value("pneumonia_requests_total", route="/predict", status="422") == 1
    assert value("pneumonia_requests_total", route="/predict", status="200") == 1


def test_what_a_caller_chooses_freely_makes_no_new_counter(fresh: Service) -> None:
    for number in range(50):
        fresh.handle(get(f"/secret-{number}"))
        fresh.handle(get("/status", {"x-request-id": f"id-{number}"}))

    text = fresh.handle(get("/metrics")).body.decode()

    assert "secret" not in text
    assert "id-1" not in text
    assert scrape(fresh)("pneumonia_requests_total", route="unknown", status="404") == 50


def test_method_that_nobody_knows_makes_no_new_counter(fresh: Service) -> None:
    from core.contract import Request

    known = get("/predict")
    for number in range(20):
        fresh.handle(Request(method=f"VERB{number}", path="/predict", query={}, headers={}, body=known.body))

    assert "VERB" not in fresh.handle(get("/metrics")).body.decode()
    assert scrape(fresh)("pneumonia_requests_total", route="/predict", status="405") == 20


def test_counts_of_many_threads_are_not_lost(fresh: Service) -> None:
    picture = phantom.jpeg()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: fresh.handle(post(picture)).status, range(64)))

    assert statuses == [200] * 64
    assert read(fresh.handle(get("/status")))["predictions_served"] == 64
    assert scrape(fresh)("pneumonia_requests_total", route="/predict", status="200") == 64


def test_two_services_count_for_themselves(fresh: Service) -> None:
    other = bootstrap({})
    fresh.handle(get("/nowhere"))

    assert scrape(other)("pneumonia_requests_total", route="unknown", status="404") == 0


def test_every_known_route_is_counted_under_its_own_name(fresh: Service) -> None:
    statuses = {(route.path, str(fresh.handle(get(route.path)).status)) for route in ROUTES if route.method == "GET"}
    fresh.handle(living.activation("some-version"))

    value = scrape(fresh)

    assert all(value("pneumonia_requests_total", route=path, status=status) for path, status in statuses)
    assert value("pneumonia_requests_total", route="/models/{version}/activate", status="403") == 1


def test_probability_is_counted_by_the_version_that_gave_it(fresh: Service) -> None:
    answer = read(fresh.handle(post(phantom.jpeg())))
    version, probability = answer["model"]["version"], answer["pneumonia"]["probability"]

    value = scrape(fresh)

    bounds = [str(bound) for bound in drift.BOUNDS]
    assert [value("pneumonia_probability_bucket", version=version, le=bound) for bound in bounds] == [
        float(probability <= bound) for bound in drift.BOUNDS
    ]
    assert value("pneumonia_probability_sum", version=version) == pytest.approx(probability)


def test_drift_is_shown_once_enough_pictures_were_seen_by_a_model_with_a_reference(classifier: Classifier) -> None:
    answer = classifier.classify(phantom.jpeg(), classifier.operating_point(None), "id", 10**7)
    metrics = Metrics()
    reference = drift.Reference((0.1,) * 10, 1000)
    known = {"score_histogram": [0.1] * 10, "pictures": 1000}
    metrics.show_model(classifier.identity, structs.replace(classifier.manifest, metrics=known))

    def index() -> float | None:
        registry = CollectorRegistry()
        registry.register(metrics)
        return registry.get_sample_value("pneumonia_probability_psi", {"version": classifier.identity.version})

    for _ in range(99):
        metrics.count_answer(answer)
    assert index() is None
    metrics.count_answer(answer)

    counts = [0] * 10
    counts[drift.bin_of(answer.pneumonia.probability)] = 100
    assert index() == pytest.approx(drift.psi(counts, reference))
    metrics.show_model(ModelIdentity(name="m", version="another", sha256="0" * 64))
    assert index() is None


def test_times_fall_into_the_buckets_that_prometheus_would_choose(fresh: Service, classifier: Classifier) -> None:
    seconds = [0.0, 0.001, 0.0010001, 0.0025, 0.004, 0.05, 0.99, 2.5, 2.6, 60.0]
    bounds = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")
    answer = classifier.classify(phantom.jpeg(), classifier.operating_point(None), "id", 10**7)
    metrics = Metrics()
    registry = CollectorRegistry()
    reference = Histogram("reference", "", buckets=[float(bound) for bound in bounds], registry=registry)

    for value in seconds:
        milliseconds = value * 1000.0
        metrics.count_answer(structs.replace(answer, timing_ms=Timing(decode=milliseconds, network=milliseconds, total=milliseconds)))
        reference.observe(milliseconds / 1000.0)

    text = metrics.render().decode()
    for bound in bounds:
        wanted = registry.get_sample_value("reference_bucket", {"le": bound})
        assert f'pneumonia_stage_seconds_bucket{{le="{bound}",stage="total"}} {wanted}' in text
    assert f'pneumonia_stage_seconds_count{{stage="network"}} {float(len(seconds))}' in text


def test_text_is_announced_as_what_prometheus_writes() -> None:
    assert CONTENT_TYPE == CONTENT_TYPE_LATEST


def test_another_model_takes_the_place_of_the_first() -> None:
    metrics = Metrics()
    for version in ("1", "2"):
        metrics.show_model(ModelIdentity(name="m", version=version, sha256="0" * 64))

    text = metrics.render().decode()

    assert 'version="2"} 1.0' in text
    assert 'version="1"' not in text


def test_guard_is_counted_by_verdict_and_refusals_by_reason_with_the_drift_of_distances(tmp_path: Path) -> None:
    guarded = bootstrap({"PNEUMONIA_MODEL": str(packages.guarded(tmp_path))})
    noise = encode(packages.noise(), "PNG")
    for picture in (phantom.jpeg(), *[noise] * 99):
        guarded.handle(post(picture))

    value = scrape(guarded)

    version = packages.version()
    assert value("pneumonia_guard_total", verdict="accept") == 1
    assert value("pneumonia_guard_total", verdict="refuse") == 99
    assert value("pneumonia_guard_refusals_total", reason="far_from_training") == 99
    assert value("pneumonia_guard_distance_count", version=version) == 100
    shifted = drift.psi([1, 99, 0], drift.Reference((0.5, 0.25, 0.25), 1000))
    assert value("pneumonia_guard_distance_psi", version=version) == pytest.approx(shifted)
    assert value("pneumonia_decisions_total", decision="negative") == 1
