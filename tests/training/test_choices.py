from pathlib import Path

import keras
import numpy as np
import pytest

from core import phantom
from core.manifest import NETWORK_FILE, read
from core.network import Network
from tests.training.retraining import champion
from training import calibrate, convert, dataset, metrics, pictures, splits
from training.correction import Correction
from training.pictures import inputs, shrink
from training.runstate import BEST_FILE

pytestmark = pytest.mark.train


def test_the_packaged_network_is_the_kept_one_with_the_correction_that_the_manifest_names(tmp_path: Path) -> None:
    folder = champion(tmp_path, epochs=1)
    manifest, _ = read(folder)
    said = manifest.metrics["correction"]
    found = Correction(said["kinds_factor"], np.array(said["bias"]))
    assert found.kinds_factor != 1.0
    assert np.abs(found.bias).max() > 0.001

    chests = inputs(np.stack([shrink(phantom.chest(seed, 96), manifest.input) for seed in range(4)]), manifest.input)
    kept = calibrate.softmax(np.asarray(keras.models.load_model(tmp_path / "work" / BEST_FILE, compile=False)(chests), np.float64))
    network = Network((folder / NETWORK_FILE).read_bytes(), manifest, 1)
    served = np.stack([network.run(chest).probabilities for chest in chests])
    assert served == pytest.approx(found.apply(kept), abs=2e-3)
    assert np.abs(found.apply(kept) - kept).max() > 0.004


def test_the_figures_of_a_package_are_of_patients_who_chose_nothing(tmp_path: Path) -> None:
    folder = champion(tmp_path, epochs=1)
    written, _ = read(folder)
    network = Network((folder / NETWORK_FILE).read_bytes(), written, 1)
    loaded = pictures.load(dataset.index(tmp_path / "data", progress=False), written.input, progress=False)
    split = splits.split(loaded.dataset, 1)

    def figures(part: str) -> list[float]:
        """Calibration error and AUROC, and the sensitivity at each operating point."""
        taken = loaded.take(split[part])
        truth, said = taken.labels > 0, convert.run_all(network, inputs(taken.grey, written.input))
        pneumonia = 1.0 - calibrate.soften(said, written.temperature)[:, written.negative_index]
        sensitivities = [metrics.sensitivity(truth, pneumonia >= point.threshold) for point in written.operating_points]
        return [metrics.calibration_error(truth, pneumonia), metrics.auroc(truth, pneumonia), *sensitivities]

    chose, reported = figures("tune"), figures("test")
    points = [point.sensitivity.value for point in written.operating_points if point.sensitivity]
    assert [written.metrics["calibration_error"], written.metrics["auroc"]["value"], *points] == pytest.approx(reported, abs=1e-4)
    assert written.metrics["validation_auroc"]["value"] == pytest.approx(chose[1], abs=1e-4)
    assert abs(chose[0] - reported[0]) > 1e-3  # or the test could not tell one from the other
