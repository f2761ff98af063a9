"""A model that leans on the shortcut is told from one that does not, by pictures whose files look like the other class."""

import msgspec
import numpy as np
import pytest

from core.manifest import Interval, OperatingPoint
from training import adverse, metrics
from training.metrics import Floats, Truth
from training.shortcuts import Said
from training.table import Table

pytestmark = pytest.mark.train

KNOWN = Interval(value=0.9, low=0.8, high=1.0)
POINT = OperatingPoint(name="only", threshold=0.5, indeterminate_from=0.5, indeterminate_to=0.5, sensitivity=KNOWN, specificity=KNOWN)
PICTURES, PATIENTS = 600, 300


def chance(log_odds: Floats) -> Floats:
    shares: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return shares


@pytest.fixture(scope="module")
def truth() -> Truth:
    return np.arange(PICTURES) % PATIENTS < PATIENTS // 3


@pytest.fixture(scope="module")
def said(truth: Truth) -> Floats:
    """What the files say: right in nine pairs of ten, as in the public set."""
    return chance(np.random.default_rng(0).normal(np.where(truth, 0.9, -0.9), 1.0))


def tabulate(truth: Truth, probability: Floats, groups: np.ndarray | None = None) -> Table:
    names = np.array([""] * len(truth))
    patients = np.arange(len(truth)) % PATIENTS if groups is None else groups
    return Table([], truth, probability, np.zeros((len(truth), 2)), names, patients.astype(str), names)


def test_the_third_of_each_class_that_looks_most_like_the_other_is_adverse(truth: Truth, said: Floats) -> None:
    rows = adverse.choose(truth, said)
    assert (rows[truth].sum(), rows[~truth].sum()) == (200 // 3, 400 // 3)
    assert said[rows & truth].max() < said[~rows & truth].min()
    assert said[rows & ~truth].min() > said[~rows & ~truth].max()


def test_ties_at_the_border_are_left_out_whatever_the_order() -> None:
    truth = np.zeros(9, dtype=bool)
    said = np.array([0.9, 0.8, 0.8, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert np.flatnonzero(adverse.choose(truth, said)).tolist() == [0]
    assert np.flatnonzero(adverse.choose(truth, said[::-1])).tolist() == [8]
    assert not adverse.choose(truth, np.full(9, 0.5)).any()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_fewer_than_three_pictures_none_is_adverse(count: int) -> None:
    assert not adverse.choose(np.ones(count, dtype=bool), np.linspace(0.1, 0.9, count)).any()


def test_a_model_that_is_the_shortcut_fails_where_the_shortcut_does(truth: Truth, said: Floats) -> None:
    found = adverse.against(tabulate(truth, said), POINT, Said(said, 5))
    assert found.shortcut_auroc.value == round(metrics.auroc(truth, said), 4)
    assert found.shortcut_auroc.value > 0.85
    assert (found.normal, found.pneumonia, found.pictures) == (133, 66, 199)
    assert found.patients == len({row % PATIENTS for row in np.flatnonzero(adverse.choose(truth, said))})
    assert found.adverse_shortcut_auroc == found.auroc
    assert found.auroc.value is not None
    assert found.auroc.value < 0.4
    assert found.correlation_normal.value == found.correlation_pneumonia.value == 1.0
    assert found.fall.low is not None
    assert found.fall.low > 0.2


def test_a_model_that_knows_nothing_of_files_is_the_same_everywhere(truth: Truth, said: Floats) -> None:
    probability = chance(np.random.default_rng(1).normal(np.where(truth, 2.0, -2.0), 1.0))
    found = adverse.against(tabulate(truth, probability), POINT, Said(said, 5))
    for estimate in (found.fall, found.correlation_normal, found.correlation_pneumonia):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < 0.0 < estimate.high
    assert found.auroc.value == pytest.approx(metrics.auroc(truth, probability), abs=0.02)
    rows, called = adverse.choose(truth, said), probability >= 0.5
    assert found.sensitivity.value == round(float(called[rows & truth].mean()), 4)
    assert found.specificity.value == round(float(1.0 - called[rows & ~truth].mean()), 4)


@pytest.mark.parametrize(
    ("pictures", "patients", "received"),
    [(29, 29, "Received: 9 of 9 and 9 of 9."), (60, 8, "Received: 20 of 3 and 20 of 3.")],
    ids=["few pictures", "few patients"],
)
def test_too_few_to_choose_from_leave_null_and_say_why(pictures: int, patients: int, received: str) -> None:
    """Of each class; the shortcut itself is measured all the same."""
    truth = np.repeat([False, True], pictures)
    said = np.concatenate([np.linspace(0.0, 0.6, pictures), np.linspace(0.4, 1.0, pictures)])
    groups = np.arange(2 * pictures) % pictures * patients // pictures + truth * patients
    found = adverse.against(tabulate(truth, said, groups), POINT, Said(said, 2))
    assert found.shortcut_auroc.value is not None
    assert (found.pictures, found.normal, found.pneumonia, found.patients) == (0, 0, 0, 0)
    nulls = [figure for name, figure in msgspec.structs.asdict(found).items() if isinstance(figure, type(found.auroc))][1:]
    assert len(nulls) == 8
    for figure in nulls:
        assert figure.value is None
        assert figure.why_not == f"Expected 10 pictures of 5 patients in each class's adverse third. {received}"


def test_without_a_shortcut_the_reason_stands_everywhere(truth: Truth) -> None:
    found = adverse.against(tabulate(truth, chance(np.where(truth, 1.0, 0.0))), POINT, Said(None, reason="Nothing varies."))
    assert {found.shortcut_auroc.why_not, found.auroc.why_not, found.correlation_normal.why_not} == {"Nothing varies."}


def test_a_model_that_says_the_same_of_all_has_no_correlation(truth: Truth, said: Floats) -> None:
    found = adverse.against(tabulate(truth, np.full(PICTURES, 0.7)), POINT, Said(said, 5))
    assert found.correlation_normal.why_not == "every picture gets the same probability"
    assert (found.sensitivity.value, found.specificity.value, found.auroc.value) == (1.0, 0.0, 0.5)
