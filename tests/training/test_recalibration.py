"""Predictions choose temperature and operating points, and other patients measure them."""

import numpy as np
import pytest

from core import drift
from core.classifier import Classifier
from tests.support.drawn_predictions import LABELS, SHIFTS, draw_predictions
from training import calibrate, decided, metrics, recalibration
from training.predictions import Predictions

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def drawn() -> Predictions:
    return draw_predictions()


@pytest.fixture(scope="module")
def result(drawn: Predictions, classifier: Classifier) -> recalibration.Recalibration:
    return recalibration.recalibrate(drawn, classifier.manifest, calibrate.REQUIREMENTS, "drawn predictions")


def test_the_temperature_undoes_overconfidence(drawn: Predictions, classifier: Classifier) -> None:
    sure = decided.choose(draw_predictions(sharpness=4.0), classifier.manifest, calibrate.REQUIREMENTS).temperature
    plain = decided.choose(draw_predictions(sharpness=1.0), classifier.manifest, calibrate.REQUIREMENTS).temperature
    assert sure == pytest.approx(4.0 * plain, rel=0.02)


def test_the_coarse_search_finds_what_the_whole_one_does(drawn: Predictions) -> None:
    labels = np.array([LABELS.index(label) for label in drawn.label])
    candidates = np.geomspace(0.25, 10.0, 741)
    losses = [metrics.negative_log_likelihood(calibrate.soften(drawn.probabilities, float(one)), labels) for one in candidates]
    assert calibrate.fit_temperature(drawn.probabilities, labels) == round(float(candidates[int(np.argmin(losses))]), 4)


def test_a_picture_of_any_kind_counts_by_all_its_kinds(drawn: Predictions) -> None:
    ill = drawn.label != "normal"
    either = np.stack([~ill, ill, ill], axis=1)
    loss = [
        metrics.negative_log_likelihood(np.stack([soft[:, 0], 1 - soft[:, 0]], axis=1), ill.astype(int))
        for soft in (calibrate.soften(drawn.probabilities, t) for t in (1.0, calibrate.fit_temperature_to(drawn.probabilities, either)))
    ]
    assert loss[1] < loss[0]


def test_points_are_ordered_and_the_zone_lies_between_screening_and_rule_in(result: recalibration.Recalibration) -> None:
    screening, balanced, rule_in = result.points
    assert screening.threshold <= balanced.threshold <= rule_in.threshold
    assert (balanced.indeterminate_from, balanced.indeterminate_to) == (screening.threshold, rule_in.threshold)
    for point in (screening, rule_in):
        assert point.indeterminate_from == point.indeterminate_to == point.threshold
    for name, (low, high) in result.choice.spread.items():
        point = next(point for point in result.points if point.name == name)
        assert low <= point.threshold <= high


def test_thresholds_keep_what_is_required_under_shift(drawn: Predictions, result: recalibration.Recalibration) -> None:
    pneumonia = 1.0 - calibrate.soften(drawn.probabilities, result.choice.temperature)[:, 0]
    truth = drawn.label != "normal"
    screening, balanced, rule_in = result.points
    assert metrics.sensitivity(truth, pneumonia >= screening.threshold) == pytest.approx(0.99, abs=0.006)
    assert metrics.sensitivity(truth, pneumonia >= balanced.threshold) == pytest.approx(0.97, abs=0.006)
    assert metrics.specificity(truth, pneumonia >= rule_in.threshold) == pytest.approx(0.99, abs=0.008)


def test_one_patient_with_many_odd_pictures_does_not_move_a_threshold_far(classifier: Classifier) -> None:
    drawn = draw_predictions()
    odd = drawn.patient == next(patient for patient, label in zip(drawn.patient, drawn.label, strict=True) if label != "normal")
    drawn.probabilities[odd] = [0.999, 0.0005, 0.0005]
    with_odd = decided.choose(drawn, classifier.manifest, calibrate.REQUIREMENTS)
    without = decided.choose(drawn.where(~odd), classifier.manifest, calibrate.REQUIREMENTS)
    for one, other, (low, high) in zip(with_odd.thresholds, without.thresholds, without.spread.values(), strict=True):
        assert abs(one.value - other.value) <= max(0.1, high - low)


def test_figures_are_those_of_patients_who_did_not_choose(classifier: Classifier) -> None:
    drawn = draw_predictions(40, gap=1.5, folds=2)
    result = recalibration.recalibrate(drawn, classifier.manifest, calibrate.REQUIREMENTS, "drawn predictions")
    called = np.zeros(len(drawn.file), dtype=bool)
    for fold in range(2):
        here = drawn.fold == fold
        choice = decided.choose(drawn.where(~here), classifier.manifest, calibrate.REQUIREMENTS)
        called[here] = (1.0 - calibrate.soften(drawn.probabilities[here], choice.temperature)[:, 0]) >= choice.thresholds[1].value
    everyone = (1.0 - calibrate.soften(drawn.probabilities, result.choice.temperature)[:, 0]) >= result.points[1].threshold
    assert not np.array_equal(called, everyone)
    plain, truth = drawn.shift == "plain", drawn.label != "normal"
    sensitivity, specificity = result.points[1].sensitivity, result.points[1].specificity
    assert sensitivity is not None
    assert specificity is not None
    assert sensitivity.value == round(metrics.sensitivity(truth[plain], called[plain]), 4)
    assert specificity.value == round(metrics.specificity(truth[plain], called[plain]), 4)
    assert set(result.metrics["under_shift"]) == set(SHIFTS)
    assert result.metrics["under_shift"]["tight crop"]["specificity"] < result.metrics["under_shift"]["plain"]["specificity"]


def test_the_reference_for_drift_is_that_of_the_new_temperature(result: recalibration.Recalibration) -> None:
    reference = drift.reference(result.metrics)

    assert reference is not None
    assert reference.pictures == result.metrics["pictures"]
