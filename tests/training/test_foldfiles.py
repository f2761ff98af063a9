import numpy as np
import pytest

from training import calibrate, foldfiles
from training.augment import SHIFTS
from training.names import KINDS

pytestmark = pytest.mark.train

FOLDS = 3


def test_out_of_fold_probabilities_expect_each_label_as_often_as_it_occurs() -> None:
    """Of networks that answer as if labels were equally frequent; the labels of a fold have no say in what is added to it."""
    rng = np.random.default_rng(3)
    shares = np.array([0.25, 0.5, 0.25])
    labels = rng.choice(len(KINDS), 3000, p=shares)
    logits = rng.normal(2.0 * np.eye(len(KINDS))[labels], 1.0)
    logits[:, 1:] += 2.0 * (logits[:, 1:] - logits[:, 1:].mean(axis=1, keepdims=True))  # too sure of the kind
    even = calibrate.softmax(logits)
    answered = np.tile(even, (len(SHIFTS), 1, 1)).astype(np.float32)
    gathered = foldfiles.Gathered(answered, np.arange(len(labels)) % FOLDS + 1, {})

    found = foldfiles.corrected(gathered, labels).probabilities
    assert np.allclose(found.sum(axis=2), 1.0, atol=1e-6)
    temperature = calibrate.fit_temperature(found[0], labels)
    kinds = [np.log(told[:, 1] / told[:, 2]) for told in (even, found[0])]
    assert np.polyfit(kinds[0], kinds[1], 1)[0] < 0.6
    occur = np.bincount(labels) / len(labels)
    assert calibrate.soften(found[0], temperature).mean(axis=0) == pytest.approx(occur, abs=0.02)
    assert np.abs(calibrate.soften(even, calibrate.fit_temperature(even, labels)).mean(axis=0) - occur).max() > 0.05

    others = np.where(gathered.fold == 1, (labels + 1) % len(KINDS), labels)
    assert np.array_equal(foldfiles.corrected(gathered, others).probabilities[:, gathered.fold == 1], found[:, gathered.fold == 1])
