import numpy as np
import pytest

from training import metrics, shortcuts

pytestmark = pytest.mark.train


@pytest.mark.parametrize("levels", [5, 10_000], ids=["many ties", "hardly any tie"])
def test_the_quick_interval_is_that_of_metrics(levels: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.4
    value = np.round(rng.normal(truth * 0.8, 1.0) * levels / 5) / levels
    groups = np.array([f"patient {number}" for number in rng.integers(0, 120, 300)])

    assert shortcuts.interval(truth, value, groups) == metrics.interval(metrics.auroc, truth, value, groups)


def test_patients_that_are_learned_from_are_not_asked() -> None:
    """A feature that is the patient's number in disguise tells the class of known patients only."""
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 10)
    truth = rng.permutation(40)[patient] % 2 == 0
    features = np.eye(40)[patient]

    said = shortcuts.out_of_fold(features, truth, patient.astype(str), 5)

    assert metrics.auroc(truth, said) < 0.65
