from pathlib import Path

import keras
import numpy as np
import pytest

from core import phantom
from core.manifest import NETWORK_FILE, read
from core.network import Network
from tests.training.retraining import champion
from training import calibrate
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
