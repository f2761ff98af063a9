"""What a package may say of the pictures that taught it."""

from pathlib import Path

import pytest

from cli.main import main
from core import manifest
from tests.training.conftest import draw, draw_dataset
from training import claims, dataset, guard

pytestmark = pytest.mark.train


def test_files_named_as_in_the_public_data_set_are_taken_for_it(tmp_path: Path) -> None:
    said = claims.of(dataset.index(draw_dataset(tmp_path, 2), progress=False))
    assert said == (claims.INTENDED_USE, claims.OF_THE_PUBLIC)


def test_a_few_other_names_in_it_are_told(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 2)
    draw(tmp_path / "NORMAL/holiday.jpeg", 9)
    said = claims.of(dataset.index(tmp_path, progress=False))
    assert said.limits[:-1] == claims.OF_THE_PUBLIC
    assert said.limits[-1].startswith("1 of 7 file names tell no patient: ")


def test_drawn_pictures_teach_a_network_that_claims_no_children(tmp_path: Path) -> None:
    assert main(["phantom", str(tmp_path / "drawn"), "--labelled", "60"]) == 0
    recipe = ["--arch", "dense", "--weights", "none", "--head-epochs", "0", "--epochs", "1", "--tracking", "none"]
    folders = ["--out", str(tmp_path / "package"), "--work", str(tmp_path / "work")]
    assert main(["train", str(tmp_path / "drawn"), *recipe, *folders]) == 0
    written, _ = manifest.read(tmp_path / "package")
    assert not any("child" in sentence or "hospital;" in sentence for sentence in (written.intended_use, *written.limits))
    assert guard.UNGUARDED in written.limits
    assert written.limits[-1].startswith("60 of 60 file names tell no patient: ")
    assert "children" not in (tmp_path / "package/CARD.md").read_text()
