import numpy as np
import pytest

from training import calibrate, correction

pytestmark = pytest.mark.train


def draw(count: int, spread: float = 1.5, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that come true, and labels drawn by them."""
    rng = np.random.default_rng(0)
    true = calibrate.softmax(rng.normal(0.0, spread, (count, labels)))
    return true, np.array([rng.choice(labels, p=row) for row in true])


def likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean log-likelihood at the best temperature."""
    softened = calibrate.soften(probabilities, calibrate.fit_temperature(probabilities, labels))
    return float(np.log(softened[np.arange(len(labels)), labels]).mean())


@pytest.mark.parametrize("sharpness", [0.7, 2.0])
def test_the_correction_undoes_a_loss_that_weighs_all_classes_alike(sharpness: float) -> None:
    probabilities, labels = draw(20_000)
    wrong = np.array([0.8, -0.3, -0.5])
    found = correction.fit_correction(calibrate.softmax(sharpness * (np.log(probabilities) + wrong)), labels)
    assert found.kinds_factor == pytest.approx(1.0, abs=0.05)
    assert found.bias == pytest.approx(-sharpness * wrong, abs=0.12 * sharpness)
    assert found.bias.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("surer", "spread"), [(0.5, 1.5), (3.0, 1.5), (5.0, 1.0)], ids=["less sure of the kind", "surer", "far surer"])
def test_after_the_correction_one_temperature_makes_pneumonia_and_kind_come_true(surer: float, spread: float) -> None:
    probabilities, labels = draw(20_000, spread)
    given = calibrate.softmax(1.7 * np.log(correction.Correction(surer, np.array([0.5, -0.4, -0.1])).apply(probabilities)))
    found = correction.fit_correction(given, labels)
    assert found.kinds_factor == pytest.approx(1.0 / surer, rel=0.1)

    corrected = found.apply(given)
    assert np.abs(calibrate.soften(corrected, calibrate.fit_temperature(corrected, labels)) - probabilities).mean() < 0.02
    biased_alone = found._replace(kinds_factor=1.0).apply(given)
    assert likelihood(corrected, labels) > likelihood(biased_alone, labels) + 0.01
    assert likelihood(corrected, labels) == pytest.approx(likelihood(probabilities, labels), abs=0.005)


def test_each_label_is_expected_as_often_as_it_occurs_also_a_rare_one() -> None:
    probabilities, labels = draw(5_000, labels=4)
    kept = (labels != 3) | (np.arange(len(labels)) % 40 == 0)
    given, told = probabilities[kept], labels[kept]
    corrected = correction.fit_correction(given, told).apply(given)
    expected = calibrate.soften(corrected, calibrate.fit_temperature(corrected, told)).mean(axis=0)
    assert expected == pytest.approx(np.bincount(told, minlength=4) / len(told), abs=0.005)


@pytest.mark.parametrize("count", [40, 500])
def test_pneumonia_that_is_told_apart_by_all_pictures_does_not_become_certain(count: int) -> None:
    """The views of a picture are not as many pictures: they count as one."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 3
    logits = np.where(labels > 0, 2.0, -2.0)[:, np.newaxis] * [-1.0, 1.0, 1.0] + rng.normal(0.0, 1.5, (count, 3)) * [0.0, 1.0, 1.0]
    probabilities = calibrate.softmax(logits)
    found = correction.fit_correction(np.tile(probabilities, (12, 1)), np.tile(labels, 12), views=12)
    corrected = found.apply(probabilities)
    temperature = calibrate.fit_temperature(corrected, labels)
    assert temperature > 0.3
    assert found.kinds_factor < 0.8
    once = correction.fit_correction(probabilities, labels)
    assert found.kinds_factor == pytest.approx(once.kinds_factor, abs=1e-5)
    assert found.bias == pytest.approx(once.bias, abs=1e-5)


def test_a_label_without_kinds_has_none_to_correct() -> None:
    probabilities, labels = draw(2_000)
    two = np.stack([probabilities[:, 0], probabilities[:, 1:].sum(axis=1)], axis=1)
    found = correction.fit_correction(two, (labels > 0).astype(np.int64))
    assert found.kinds_factor == 1.0
    assert np.array_equal(found.matrix, np.eye(2))


@pytest.mark.parametrize("occurring", [[0], [0, 2], [1]], ids=["none", "one and normal", "one"])
def test_where_fewer_than_two_kinds_occur_they_stay_as_they_are(occurring: list[int]) -> None:
    probabilities, labels = draw(200)
    here = np.isin(labels, occurring)
    found = correction.fit_correction(probabilities[here], labels[here])
    assert found.kinds_factor == 1.0
    assert np.isfinite(found.bias).all()


def test_answers_of_nothing_and_of_certainty_are_taken() -> None:
    probabilities = np.repeat(np.eye(3), 40, axis=0)
    labels = np.concatenate([np.repeat(np.arange(3), 40)[:-8], np.zeros(8, np.int64)])
    found = correction.fit_correction(probabilities, labels)
    assert np.isfinite(found.apply(probabilities)).all()
