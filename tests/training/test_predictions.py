"""A table of predictions survives the disk, and a wrong one is refused with its line."""

from pathlib import Path

import numpy as np
import pytest

from training import errors, predictions
from training.predictions import Predictions

pytestmark = pytest.mark.train

LABELS = ("normal", "bacterial pneumonia", "viral pneumonia")
HEAD = "file,patient,label,fold,shift,probability of normal,probability of bacterial pneumonia,probability of viral pneumonia\n"
GOOD = HEAD + "a.png,p1,normal,0,plain,0.9,0.05,0.05\na.png,p1,normal,0,blur,0.8,0.1,0.1\nb.png,p2,pneumonia,1,plain,0.1,0.4,0.5\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "predictions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    table = Predictions(
        LABELS,
        np.array(["a, b.png", "c.png"]),
        np.array(["p1", "p2"]),
        np.array(["normal", "viral pneumonia"]),
        np.array([0, 1]),
        np.array(["plain", "plain"]),
        np.array([[0.25, 0.5, 0.25], [1e-7, 1.0 - 2e-7, 1e-7]]),
    )
    path = tmp_path / "p.csv"
    path.write_bytes(predictions.encode(table))
    again = predictions.read(path, LABELS)
    for before, after in zip(table[1:-1], again[1:-1], strict=True):
        assert np.array_equal(before, after)
    assert np.allclose(table.probabilities, again.probabilities, rtol=1e-7, atol=0.0)


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    lines = [line.split(",") for line in GOOD.splitlines()]
    turned = "\n".join(",".join(reversed(line)) for line in lines) + "\n"
    expected, received = (predictions.read(write(tmp_path, text), LABELS) for text in (GOOD, turned))
    assert np.array_equal(expected.probabilities, received.probabilities)
    assert received.label.tolist() == ["normal", "normal", "pneumonia"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (GOOD, "", "without a|without \\["),
        (GOOD, HEAD, "without a row"),
        ("fold", "part", r"without \['fold'\]"),
        ("normal,0,plain", "normal,x,plain", "line 2"),
        ("0.9,0.05", "high,0.05", "line 2"),
        ("0.9,0.05", "0.5,0.05", "sum to 1"),
        ("0.9,0.05", "1.9,-0.95", "sum to 1"),
        ("0.9,0.05", "nan,0.05", "sum to 1"),
        ("p2,pneumonia", "p2,covid", "'covid' in line 4"),
        ("b.png,p2", "b.png,p1", "each patient in one fold"),
        ("blur", "plain", "once for each shift"),
        ("plain", "bright", "the shift 'plain'"),
    ],
    ids=["empty", "no row", "no column", "fold", "no number", "sum", "range", "nan", "label", "two folds", "twice", "no plain"],
)
def test_a_wrong_table_is_refused(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidPredictions, match=sentence):
        predictions.read(write(tmp_path, GOOD.replace(old, new)), LABELS)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xfe\x00\x80" * 10)
    with pytest.raises(errors.InvalidPredictions, match="Expected a CSV file"):
        predictions.read(path, LABELS)
    with pytest.raises(errors.InvalidPredictions, match="Expected a CSV file"):
        predictions.read(tmp_path / "nowhere.csv", LABELS)
