import msgspec
import numpy as np
import pytest

from training import looks, metrics, shortcuts

pytestmark = pytest.mark.train


@pytest.mark.parametrize("levels", [5, 10_000], ids=["many ties", "hardly any tie"])
def test_the_quick_interval_is_that_of_metrics(levels: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.4
    value = np.round(rng.normal(truth * 0.8, 1.0) * levels / 5) / levels
    groups = np.array([f"patient {number}" for number in rng.integers(0, 120, 300)])

    for one in (value, truth.astype(float), -truth.astype(float)):
        assert shortcuts.interval(truth, one, groups) == metrics.interval(metrics.auroc, truth, one, groups)


def test_patients_that_are_learned_from_are_not_asked() -> None:
    """A feature that is the patient's number in disguise tells the class of known patients only."""
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 10)
    truth = rng.permutation(40)[patient] % 2 == 0
    features = np.eye(40)[patient]

    said = shortcuts.out_of_fold(features, truth, patient.astype(str), 5)

    assert metrics.auroc(truth, said) < 0.65


def test_features_that_never_vary_are_left_out() -> None:
    one = looks.Looks(
        bytes=100, width_px=64, height_px=64, brightness=1.0, contrast=1.0, black_share=0.0, sharpness=1.0, edge_density=0.1, jpeg_bytes=9
    )
    other = msgspec.structs.replace(one, bytes=1000, width_px=128)

    columns = shortcuts.features([one, other, one])

    assert list(columns) == ["bytes", "pixels", "aspect"]
    assert columns["bytes"] == pytest.approx(np.log1p([100, 1000, 100]))


@pytest.mark.parametrize(
    ("columns", "truth", "reason"),
    [
        ({}, [True, True, False, False], "Expected features that vary. Received: none."),
        ({"bytes": np.arange(4.0)}, [True, True, True, False], "Expected at least 2 patients of each class"),
        ({"bytes": np.arange(4.0)}, [True] * 4, "Received: 0."),
    ],
    ids=["nothing varies", "one patient of a class", "one class"],
)
def test_what_cannot_be_learned_says_why(columns: dict[str, metrics.Floats], truth: list[bool], reason: str) -> None:
    said = shortcuts.ask(columns, np.array(truth), np.array(list("abcd")))

    assert said.probability is None
    assert reason in said.reason


def test_a_fold_without_a_class_to_learn_from_stays_undecided() -> None:
    """With one patient a class whoever learns has seen one class only."""
    groups, truth = np.array(["a"] * 5 + ["b"] * 5), np.array([True] * 5 + [False] * 5)

    assert np.all(shortcuts.out_of_fold(np.arange(10.0)[:, np.newaxis], truth, groups, 2) == 0.5)
