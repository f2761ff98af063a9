"""What `benchmarks.views` says of a second look at each picture."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import views
from core.manifest import InputContract
from training import dataset, pictures
from training.augment import SHIFTS

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=32, width_px=32, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)


def test_a_crop_is_the_middle_and_a_mirror_exchanges_the_sides() -> None:
    grey = np.arange(400, dtype=np.uint8).reshape(20, 20)
    assert np.array_equal(views.crop(grey, 0.9), grey[1:19, 1:19])
    assert np.array_equal(views.mirror(grey)[:, 0], grey[:, -1])


def test_a_row_holds_the_mean_over_its_views(phantoms: Path) -> None:
    loaded = pictures.load(dataset.index(phantoms, progress=False), CONTRACT, progress=False)
    ill = loaded.labels > 0
    said = np.zeros((len(SHIFTS), len(views.VIEWS), len(ill)))
    said[:, 0] = np.where(ill, 1.0, -1.0)  # right
    said[:, 1] = np.where(ill, -3.0, 3.0)  # wrong, and surer
    said[0, 3] = np.where(ill, 2.0, -2.0)  # right on plain pictures alone
    rows = [line.strip("| ").split(" | ") for line in views.table(loaded, said).splitlines()[2:]]
    figures = {name: tuple(map(float, values)) for name, *values in rows}
    assert figures["as it is"] == (1.0, 1.0, 1.0)
    assert figures["mirrored"] == (0.0, 0.0, 0.0)
    assert figures["the middle, 90% of each side"] == (1.0, round((1.0 + 0.5 * (len(SHIFTS) - 1)) / len(SHIFTS), 4), 0.5)
    assert figures["as it is and mirrored"] == (0.0, 0.0, 0.0)
    assert figures["as it is and the middle, 90% of each side"] == (1.0, 1.0, 1.0)
