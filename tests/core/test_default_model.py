"""What is promised of the model that comes with the product: small, fast, calibrated, and not lost under moderate changes."""

import re
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from core import manifest
from core.network import Network

PACKAGE = Path(__file__).resolve().parents[2] / "model" / "pneumonia-mobilenetv2"
MOST_BYTES = 10_000_000
MOST_MS = 10.0
MOST_CALIBRATION_ERROR = 0.03
MOST_POINTS = 5.0


@pytest.fixture(scope="module")
def card() -> str:
    return (PACKAGE / "CARD.md").read_text("utf-8")


def test_network_is_small() -> None:
    assert (PACKAGE / "network.tflite").stat().st_size <= MOST_BYTES


def test_network_takes_at_most_ten_milliseconds_a_picture_on_one_core() -> None:
    written, _ = manifest.read(PACKAGE)
    network = Network((PACKAGE / "network.tflite").read_bytes(), written, 1)
    given = written.input
    values = np.zeros((given.height_px, given.width_px, given.channels), np.float32)
    taken_ms = []
    for _ in range(50):
        start = perf_counter()
        network.run(values)
        taken_ms.append((perf_counter() - start) * 1000.0)

    assert min(taken_ms) <= MOST_MS  # the least: what else runs on this machine only ever adds


def test_probabilities_are_calibrated() -> None:
    assert manifest.read(PACKAGE)[0].metrics["calibration_error"] <= MOST_CALIBRATION_ERROR


def test_no_moderate_corruption_costs_more_than_five_points_of_balanced_accuracy(card: str) -> None:
    rows = re.findall(r"^\| ([a-zA-Z ]+) \| moderate: [^|]+\|(?: [\d.]+ \|){4} (-?[\d.]+) \(", card, re.MULTILINE)
    falls = {name: float(points) for name, points in rows}

    exposure = {"brighter", "darker", "less contrast", "more contrast"}
    assert set(falls) == exposure | {"blur", "noise", "JPEG", "crop", "rotation", "resolution", "collimation", "another site"}
    assert {name: fall for name, fall in falls.items() if fall > MOST_POINTS} == {}
