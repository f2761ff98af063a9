"""What is promised of the model that comes with the product: small, fast, calibrated, and not lost under moderate changes."""

import math
import re
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np

from core import manifest
from core.manifest import NETWORK_FILE
from core.network import Network
from tests.support.packages import baked

PACKAGE, README = baked(), Path(__file__).resolve().parents[2] / "README.md"
MOST_BYTES = 10_000_000
MOST_MS = 10.0
PATIENCE_S = 30.0
MOST_CALIBRATION_ERROR = 0.03
MOST_POINTS = 5.0


def test_readme_tells_the_figures_of_this_model() -> None:
    written, _ = manifest.read(PACKAGE)
    auroc, point = written.metrics["auroc"], written.operating_point(None)
    assert point is not None
    assert point.sensitivity is not None
    assert point.specificity is not None
    said = " ".join(README.read_text("utf-8").split())
    assert f"Of {written.metrics['patients']} patients whom its training held out" in said
    assert f"AUROC {auroc['value']:.3f} (95 % CI {auroc['low']:.3f} to {auroc['high']:.3f})" in said
    assert f"sensitivity {point.sensitivity.value:.3f} and specificity {point.specificity.value:.3f}" in said


def test_network_is_small() -> None:
    assert (PACKAGE / NETWORK_FILE).stat().st_size <= MOST_BYTES


def test_network_takes_at_most_ten_milliseconds_a_picture_on_one_core() -> None:
    written, _ = manifest.read(PACKAGE)
    network = Network((PACKAGE / NETWORK_FILE).read_bytes(), written, 1)
    given = written.input
    values = np.zeros((given.height_px, given.width_px, given.channels), np.float32)
    least_ms, end = math.inf, perf_counter() + PATIENCE_S
    while least_ms > MOST_MS and perf_counter() < end:  # the least: what else runs on this machine only ever adds
        start = thread_time()
        network.run(values)
        least_ms = min(least_ms, (thread_time() - start) * 1000.0)

    assert least_ms <= MOST_MS


def test_probabilities_are_calibrated() -> None:
    assert manifest.read(PACKAGE)[0].metrics["calibration_error"] <= MOST_CALIBRATION_ERROR


def test_no_moderate_corruption_costs_more_than_five_points_of_balanced_accuracy() -> None:
    card = (PACKAGE / "CARD.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-zA-Z ]+) \| moderate: [^|]+\|(?: [\d.]+ \|){4} (-?[\d.]+) \(", card, re.MULTILINE)
    falls = {name: float(points) for name, points in rows}

    exposure = {"brighter", "darker", "less contrast", "more contrast"}
    assert set(falls) == exposure | {"blur", "noise", "JPEG", "crop", "rotation", "resolution", "collimation", "another site"}
    assert {name: fall for name, fall in falls.items() if fall > MOST_POINTS} == {}
