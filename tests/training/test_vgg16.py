"""VGG16 goes the whole way: it trains, is evaluated, is packaged and serves, like the others. From scratch, and on small pictures."""

from pathlib import Path

import pytest

from cli.main import main
from core import manifest, phantom
from tests.training.elsewhere import ask
from training import outputs

pytestmark = pytest.mark.train

SMALL = """arch = "vgg16"
weights = "none"
keep = "last"
epochs = 1
side_px = 64
batch_size = 8
learning_rate = 1e-4
"""


def test_vgg16_trains_is_evaluated_and_serves(phantoms: Path, tmp_path: Path) -> None:
    recipe, package, report = tmp_path / "small.toml", tmp_path / "package", tmp_path / "evaluation.json"
    recipe.write_text(SMALL)
    quiet = ["--tracking", "none"]

    assert main(["train", str(phantoms), "--config", str(recipe), "--work", str(tmp_path / "work"), "--out", str(package), *quiet]) == 0
    assert main(["evaluate", str(package), str(phantoms), "--corruptions", "none", "--json", str(report), *quiet]) == 0

    written, _ = manifest.read(package)
    assert written.origin.config["arch"] == "vgg16"
    assert (written.input.width_px, written.embedding_size) == (64, 512)
    assert outputs.read(report, written).dataset.pictures == 24
    answer = ask(package, phantom.chest(11, 64))
    assert answer["status"] == "ok"
    assert answer["explanation"] is not None  # its heat map
    assert sum(one["probability"] for one in answer["findings"]) == pytest.approx(1.0, abs=1e-3)
