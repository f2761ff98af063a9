"""Calibrate and decide, on tables and on random numbers of a known seed."""

import random
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from core.classifier import Probabilities, calibrate, decide
from core.contract import Finding, MostProbable
from core.manifest import Manifest, OperatingPoint, read
from tests.support import packages


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read(packages.baked())[0]


def point(threshold: float, low: float | None = None, high: float | None = None) -> OperatingPoint:
    proportion = {"value": 0.9, "low": 0.8, "high": 1.0}
    values = {
        "name": "p",
        "threshold": threshold,
        "indeterminate_from": threshold if low is None else low,
        "indeterminate_to": threshold if high is None else high,
        "sensitivity": proportion,
        "specificity": proportion,
    }
    return msgspec.convert(values, OperatingPoint)


def shares(manifest: Manifest, pneumonia: float) -> Probabilities:
    """Probabilities with a given total of pneumonia, the first kind twice the second."""
    values = np.empty(3)
    values[manifest.negative_index] = 1.0 - pneumonia
    values[[index for index in range(3) if index != manifest.negative_index]] = pneumonia * np.array([2.0, 1.0]) / 3.0
    return values


def random_softmaxes(count: int, spread: float) -> Iterator[np.ndarray]:
    chance = np.random.default_rng(20)
    for _ in range(count):
        odds = np.exp(chance.normal(0.0, spread, 3))
        yield (odds / odds.sum()).astype(np.float32)


def test_temperature_1_changes_nothing() -> None:
    for probabilities in random_softmaxes(200, 3.0):
        assert np.allclose(calibrate(probabilities, 1.0), probabilities, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 1.3, 5.0, 100.0])
def test_calibrated_probabilities_sum_to_one_and_keep_their_order(temperature: float) -> None:
    for probabilities in random_softmaxes(200, 4.0):
        calibrated = calibrate(probabilities, temperature)

        assert calibrated.dtype == np.float64
        assert calibrated.sum() == pytest.approx(1.0, abs=1e-12)
        assert (calibrated >= 0.0).all()
        order = np.argsort(probabilities, kind="stable")
        assert (np.diff(calibrated[order]) >= -1e-12).all()


def test_higher_temperature_is_less_sure() -> None:
    sure = np.array([0.9, 0.07, 0.03], np.float32)

    largest = [calibrate(sure, temperature).max() for temperature in (0.5, 1.0, 1.5, 3.0, 50.0)]

    assert largest == sorted(largest, reverse=True)
    assert largest[-1] == pytest.approx(1 / 3, abs=0.03)


def test_calibration_is_the_published_formula() -> None:
    logits = np.array([2.0, -1.0, 0.5])
    softmax = (np.exp(logits) / np.exp(logits).sum()).astype(np.float32)

    wanted = np.exp(logits / 1.7) / np.exp(logits / 1.7).sum()

    assert np.allclose(calibrate(softmax, 1.7), wanted, atol=1e-6)


@pytest.mark.parametrize("extreme", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1e-38, 1.0, 1e-45), (1 / 3, 1 / 3, 1 / 3)])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 1000.0])
def test_extreme_probabilities_stay_finite(extreme: tuple[float, ...], temperature: float) -> None:
    calibrated = calibrate(np.array(extreme, np.float32), temperature)

    assert np.isfinite(calibrated).all()
    assert calibrated.sum() == pytest.approx(1.0)


DECISIONS = [
    ("just below the threshold", 0.599999, (0.6,), "negative"),
    ("at the threshold", 0.6, (0.6,), "positive"),
    ("above the threshold", 0.7, (0.6,), "positive"),
    ("rounded up to the threshold", 0.5999996, (0.6,), "positive"),
    ("below the zone", 0.399999, (0.6, 0.4, 0.7), "negative"),
    ("at the start of the zone", 0.4, (0.6, 0.4, 0.7), "indeterminate"),
    ("at the threshold within the zone", 0.6, (0.6, 0.4, 0.7), "indeterminate"),
    ("just below the end of the zone", 0.699999, (0.6, 0.4, 0.7), "indeterminate"),
    ("at the end of the zone", 0.7, (0.6, 0.4, 0.7), "positive"),
    ("threshold 0", 0.0, (0.0,), "positive"),
    ("threshold 1, not reached", 0.999999, (1.0,), "negative"),
    ("threshold 1, reached", 1.0, (1.0,), "positive"),
    ("zone up to the threshold", 0.6, (0.6, 0.4, 0.6), "positive"),
    ("zone from the threshold on", 0.6, (0.6, 0.6, 0.8), "indeterminate"),
]


@pytest.mark.parametrize(("total", "bounds", "wanted"), [case[1:] for case in DECISIONS], ids=[case[0] for case in DECISIONS])
def test_decision_at_the_bounds(manifest: Manifest, total: float, bounds: tuple[float, ...], wanted: str) -> None:
    pneumonia, _, most_probable = decide(shares(manifest, total), manifest, point(*bounds))

    assert pneumonia.decision == wanted
    assert (most_probable is None) == (wanted == "negative")


def test_answer_and_decision_never_disagree(manifest: Manifest) -> None:
    chance = random.Random(5)
    for _ in range(3000):
        threshold = round(chance.random(), chance.choice((1, 2, 3, 6)))
        low, high = sorted((chance.random(), chance.random()))
        used = point(threshold, min(low, threshold), max(high, threshold)) if chance.random() < 0.5 else point(threshold)
        total = min(1.0, max(0.0, threshold + chance.choice((0.0, 1e-7, -1e-7, 5e-7, -5e-7, 1e-6, -1e-6, chance.uniform(-1, 1)))))

        pneumonia, findings, most_probable = decide(shares(manifest, total), manifest, used)

        shown = pneumonia.probability
        uncertain = used.indeterminate_from <= shown < used.indeterminate_to
        assert pneumonia.decision == ("indeterminate" if uncertain else "positive" if shown >= used.threshold else "negative")
        assert 0.0 <= shown <= 1.0
        check_findings(manifest, findings, shown)
        if most_probable is not None:
            check_most_probable(most_probable, findings, shown, manifest)


def check_findings(manifest: Manifest, findings: tuple[Finding, ...], pneumonia: float) -> None:
    probabilities = [finding.probability for finding in findings]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-9)
    assert {(finding.label, finding.code) for finding in findings} == {(label.name, label.code) for label in manifest.labels}
    negative = next(finding.probability for finding in findings if finding.label == manifest.negative)
    assert negative == pytest.approx(1.0 - pneumonia, abs=1e-9)


def test_a_network_that_tells_no_kinds_names_none(manifest: Manifest) -> None:
    two = msgspec.structs.replace(manifest, labels=tuple(label for label in manifest.labels if label.name != "viral pneumonia"))
    pneumonia, _, most_probable = decide(np.array([0.1, 0.9]), two, point(0.5))
    assert (pneumonia.decision, most_probable) == ("positive", None)


def check_most_probable(most_probable: MostProbable, findings: tuple[Finding, ...], pneumonia: float, manifest: Manifest) -> None:
    kinds = {finding.label: finding.probability for finding in findings if finding.label != manifest.negative}
    assert kinds[most_probable.label] == max(kinds.values())
    assert most_probable.confidence == pytest.approx(kinds[most_probable.label] / pneumonia if pneumonia else 0.0, abs=1e-6)
    assert most_probable.confidence <= 1.0


@pytest.mark.parametrize("values", [(0.3333333, 0.3333333, 0.3333334), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.5, 0.5)])
def test_rounded_findings_sum_to_exactly_one(manifest: Manifest, values: tuple[float, ...]) -> None:
    _, findings, _ = decide(np.array(values), manifest, point(0.5))

    assert round(sum(finding.probability for finding in findings), 9) == 1.0


def test_code_of_pneumonia_and_measured_proportions_come_from_the_manifest(manifest: Manifest) -> None:
    used = manifest.operating_points[0]

    pneumonia, _, _ = decide(shares(manifest, 0.5), manifest, used)

    assert pneumonia.code == manifest.pneumonia_code
    assert pneumonia.operating_point.name == used.name
    assert pneumonia.operating_point.threshold == used.threshold
    assert used.sensitivity is not None
    assert used.specificity is not None
    assert pneumonia.operating_point.sensitivity == used.sensitivity.value
    assert pneumonia.operating_point.specificity == used.specificity.value
