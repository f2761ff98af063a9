import math

import numpy as np
import pytest

from core.classifier import calibrate as served_calibrate
from training import calibrate, metrics

pytestmark = pytest.mark.train


def draw_probabilities(count: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from known probabilities, and those probabilities made `sharpness` times too sure."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 1.5, (count, 3))
    true = calibrate.soften(np.exp(logits - logits.max(axis=1, keepdims=True)), 1.0)
    labels = np.array([rng.choice(3, p=row) for row in true])
    return calibrate.soften(true, 1.0 / sharpness), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_softening_is_what_serving_does(temperature: float) -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0], [1e-20, 0.5, 0.5]], dtype=np.float32)
    expected = [served_calibrate(row, temperature) for row in probabilities]
    assert np.allclose(calibrate.soften(probabilities, temperature), expected, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(sharpness: float) -> None:
    probabilities, labels = draw_probabilities(5_000, sharpness)
    assert calibrate.fit_temperature(probabilities, labels) == pytest.approx(sharpness, rel=0.1)


def overlap(count: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.random(count) < 0.6
    score = rng.normal(np.where(truth, gap, -gap), 1.0)
    return 1.0 / (1.0 + np.exp(-2.0 * score)), truth


@pytest.mark.parametrize("gap", [0.3, 1.0, 2.0, 5.0], ids=["hardly told apart", "overlapping", "good", "separable"])
def test_thresholds_are_ordered_and_keep_what_they_promise(gap: float) -> None:
    probability, truth = overlap(5000, gap)
    screening, balanced, rule_in = calibrate.choose_thresholds(probability, truth)
    assert 0.0 <= screening.value <= balanced.value <= rule_in.value <= 1.0
    assert metrics.sensitivity(truth, probability >= screening.value) >= calibrate.SCREENING_SENSITIVITY
    assert metrics.sensitivity(truth, probability >= balanced.value) >= calibrate.BALANCED_SENSITIVITY
    assert metrics.specificity(truth, probability >= rule_in.value) >= calibrate.RULE_IN_SPECIFICITY
    assert (balanced.zone_from, balanced.zone_to) == (screening.value, rule_in.value)
    assert screening.zone_from == screening.zone_to == screening.value
    assert rule_in.zone_from == rule_in.zone_to == rule_in.value


def test_balanced_is_the_highest_threshold_that_keeps_its_sensitivity() -> None:
    probability, truth = overlap(5000, 1.0)
    balanced = calibrate.choose_thresholds(probability, truth)[1].value
    assert metrics.sensitivity(truth, probability >= balanced + 0.002) < calibrate.BALANCED_SENSITIVITY


def test_the_calibration_error_is_the_gap_between_said_and_seen() -> None:
    truth = np.array([True, False, True, False])
    assert metrics.calibration_error(truth, np.array([0.75, 0.75, 0.75, 0.75])) == pytest.approx(0.25)
    assert metrics.calibration_error(truth, np.array([1.0, 0.0, 1.0, 0.0])) == 0.0


def test_the_interval_is_wider_where_pictures_belong_to_few_patients() -> None:
    probability, truth = overlap(400, 0.5)
    alone = metrics.interval(metrics.accuracy, truth, probability >= 0.5, np.arange(400).astype(str))
    shared = metrics.interval(metrics.accuracy, truth, probability >= 0.5, np.sort(np.arange(400) % 10).astype(str))
    assert alone.low <= alone.value <= alone.high
    expected_half_width = 1.96 * math.sqrt(alone.value * (1 - alone.value) / 400)
    assert (alone.high - alone.low) / 2 == pytest.approx(expected_half_width, rel=0.15)
    assert shared.value == alone.value
