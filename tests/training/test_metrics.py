"""Every formula against scikit-learn and against tables worked out by hand."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from training import curves, metrics

pytestmark = pytest.mark.train


def draw(count: int, ties: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.6
    probability = 1.0 / (1.0 + np.exp(-rng.normal(np.where(truth, 0.8, -0.8), 1.0)))
    return truth, np.round(probability, 1) if ties else probability


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "many ties"])
@pytest.mark.parametrize("count", [5, 400])
def test_areas_are_those_of_scikit_learn(count: int, ties: bool) -> None:
    truth, probability = draw(count, ties)
    assert metrics.auroc(truth, probability) == pytest.approx(sklearn.roc_auc_score(truth, probability), abs=1e-12)
    assert metrics.auprc(truth, probability) == pytest.approx(sklearn.average_precision_score(truth, probability), abs=1e-12)
    assert metrics.brier(truth, probability) == pytest.approx(sklearn.brier_score_loss(truth, probability), abs=1e-12)


def test_rates_are_those_of_a_table_worked_out_by_hand() -> None:
    # 3 true positives, 1 missed; 4 true negatives, 2 false alarms.
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    called = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0], dtype=bool)
    assert metrics.sensitivity(truth, called) == 3 / 4
    assert metrics.specificity(truth, called) == pytest.approx(4 / 6)
    assert metrics.accuracy(truth, called) == 7 / 10
    assert metrics.balanced_accuracy(truth, called) == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert metrics.positive_predictive_value(truth, called) == 3 / 5
    assert metrics.negative_predictive_value(truth, called) == 4 / 5


def test_what_needs_a_class_that_is_missing_is_not_a_number() -> None:
    ill, well = np.ones(3, dtype=bool), np.zeros(3, dtype=bool)
    probability = np.array([0.2, 0.5, 0.9])
    for value in (
        metrics.auroc(ill, probability),
        metrics.auroc(well, probability),
        metrics.auprc(well, probability),
        metrics.sensitivity(well, well),
        metrics.specificity(ill, ill),
        metrics.balanced_accuracy(ill, ill),
        metrics.positive_predictive_value(ill, well),
        metrics.negative_predictive_value(ill, ill),
    ):
        assert math.isnan(value)


def test_roc_corners_are_those_of_scikit_learn() -> None:
    truth, probability = draw(300, ties=True)
    x, y, _ = sklearn.roc_curve(truth, probability, drop_intermediate=False)
    drawn = curves.roc(truth, probability)
    theirs = {(round(float(a), 6), round(float(b), 6)) for a, b in zip(x, y, strict=True)}
    assert set(zip(drawn.false_positive_rate, drawn.sensitivity, strict=True)) <= theirs
    assert sklearn.auc(drawn.false_positive_rate, drawn.sensitivity) == pytest.approx(metrics.auroc(truth, probability), abs=1e-5)
    assert (drawn.false_positive_rate[0], drawn.sensitivity[0]) == (0.0, 0.0)
    assert (drawn.false_positive_rate[-1], drawn.sensitivity[-1]) == (1.0, 1.0)


def test_roc_leaves_out_points_on_a_straight_line() -> None:
    drawn = curves.roc(np.array([True] * 50 + [False] * 50), np.arange(100)[::-1] / 100)
    assert (drawn.false_positive_rate, drawn.sensitivity) == ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0))
    assert drawn.threshold == (1.0, 0.5, 0.0)


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    truth, probability = draw(300, ties=True)
    precision, recall, thresholds = sklearn.precision_recall_curve(truth, probability)
    drawn = curves.precision_recall(truth, probability)
    expected = {round(float(t), 6): (p, r) for t, p, r in zip(thresholds, precision, recall, strict=False)}
    for threshold, p, r in zip(drawn.threshold, drawn.precision, drawn.recall, strict=True):
        assert (p, r) == pytest.approx(expected[threshold], abs=1e-6)
    assert drawn.recall[-1] == 1.0


def test_reliability_counts_each_picture_once_and_says_what_was_so() -> None:
    truth, probability = np.array([1, 0, 1, 1], dtype=bool), np.array([0.05, 0.02, 0.95, 1.0])
    low, high = curves.reliability(truth, probability)
    assert (low.low, low.high, low.pictures, low.mean_probability, low.share_with_pneumonia) == (0.0, 0.1, 2, 0.035, 0.5)
    assert (high.low, high.high, high.pictures, high.mean_probability, high.share_with_pneumonia) == (0.9, 1.0, 2, 0.975, 1.0)


def test_wilson_gives_the_interval_of_the_paper() -> None:
    # Newcombe, Statistics in Medicine 1998, table I: 81 of 263, and 0 of 20.
    assert metrics.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert metrics.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_share_without_a_mistake_is_not_called_certain() -> None:
    truth, called = np.array([True] * 20 + [False] * 20), np.array([True] * 20 + [False] * 20)
    alone = metrics.interval(metrics.sensitivity, truth, called, np.arange(40).astype(str))
    assert (alone.value, alone.high) == (1.0, 1.0)
    assert alone.low == pytest.approx(1 - 0.1611, abs=1e-4)
    none = metrics.interval(metrics.sensitivity, truth, ~called, np.arange(40).astype(str))
    assert (none.value, none.low, none.high) == (0.0, 0.0, round(1 - alone.low, 4))
    of_two = metrics.interval(metrics.sensitivity, truth, called, np.repeat(list("abcd"), 10))
    assert of_two.low < 0.4


@pytest.mark.parametrize("turned", [False, True], ids=["1", "0"])
@pytest.mark.parametrize("statistic", [metrics.auroc, metrics.auprc, metrics.balanced_accuracy, metrics.accuracy])
def test_no_figure_at_the_end_of_its_scale_is_called_certain(statistic: metrics.Statistic, turned: bool) -> None:
    truth = np.arange(40) < 20
    said = metrics.interval(statistic, truth, (truth != turned).astype(float), np.arange(40).astype(str))
    if statistic is metrics.auprc and turned:
        assert said.low < said.value == 0.5  # of constant precision
        return
    near, far = (said.high, said.low) if turned else (1.0 - said.low, 1.0 - said.high)
    assert (far, 0.02 < near < 0.2) == (0.0, True)


def test_interval_of_an_area_of_1_holds_the_areas_that_may_well_give_it() -> None:
    rng = np.random.default_rng(1)
    for positives, negatives in ((5, 5), (10, 30), (40, 8)):
        area = 1.0 - metrics.obuchowski(positives, negatives)
        gap = np.sqrt(2.0) * stats.norm.ppf(area)  # of two normal distributions with this area between them
        truth = np.repeat([True, False], [positives, negatives])
        drawn = [metrics.auroc(truth, rng.normal(size=len(truth)) + gap * truth) for _ in range(2000)]
        assert np.mean(np.array(drawn) == 1.0) == pytest.approx(0.025, abs=0.012)


def test_patients_are_drawn_whole() -> None:
    groups = np.array(["a", "a", "b", "c"])
    for rows in metrics.patient_draws(groups, 50):
        counts = np.bincount(rows, minlength=4)
        assert counts[0] == counts[1]
        assert counts[0] + counts[2] + counts[3] == 3


def test_calibration_error_is_that_of_bins_worked_out_by_hand() -> None:
    truth, probability = np.array([1, 1, 0, 0], dtype=bool), np.array([0.9, 0.9, 0.9, 0.1])
    # Bin of .9: said .9, seen 2/3, three of four pictures; bin of .1: said .1, seen 0, one of four.
    assert metrics.calibration_error(truth, probability) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.1)


@pytest.mark.parametrize("levels", [3, 10_000], ids=["many ties", "hardly any tie"])
def test_rank_correlation_is_that_of_scipy(levels: int) -> None:
    rng = np.random.default_rng(4)
    pair = rng.normal(size=(200, 2))
    pair[:, 1] = np.round((0.5 * pair[:, 0] + pair[:, 1]) * levels) / levels
    truth = np.ones(200, dtype=bool)
    assert metrics.rank_correlation(truth, pair) == pytest.approx(stats.spearmanr(*pair.T).statistic, abs=1e-12)
    assert metrics.rank_correlation(truth, np.exp(pair)) == pytest.approx(metrics.rank_correlation(truth, pair), abs=1e-12)


@pytest.mark.parametrize("pair", [np.zeros((0, 2)), np.ones((1, 2)), np.array([[1.0, 2.0], [1.0, 3.0]])], ids=["none", "one", "constant"])
def test_rank_correlation_needs_two_columns_that_vary(pair: metrics.Floats) -> None:
    assert np.isnan(metrics.rank_correlation(np.ones(len(pair), dtype=bool), pair))
