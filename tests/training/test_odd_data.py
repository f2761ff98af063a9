"""Training meets data sets as they are: pictures of many sizes and formats, a class with one patient."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from cli.main import main
from core import manifest

pytestmark = pytest.mark.train

SIZES = ((128, 128), (64, 96), (300, 200), (40, 41))


@pytest.fixture
def data(phantoms: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(phantoms, tmp_path / "data"))


def train(data: Path, folder: Path) -> int:
    command = ["train", str(data), "--arch", "dense", "--weights", "none", "--epochs", "1", "--batch-size", "8", "--tracking", "none"]
    return main([*command, "--work", str(folder / "work"), "--out", str(folder / "package")])


def test_pictures_of_many_sizes_and_formats_teach_one_network(data: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(data.rglob("*.jpeg"))):
        picture = Image.open(path).resize(SIZES[number % len(SIZES)])
        picture.convert("RGB" if number % 3 == 0 else "L").save(path, ("JPEG", "PNG")[number % 2])  # the name says JPEG of all

    assert train(data, tmp_path) == 0

    split = manifest.read(tmp_path / "package")[0].origin.split
    assert sum(split[f"{part}_pictures"] for part in ("fit", "tune", "test")) == 24
    assert split["unreadable"] == 0


def test_a_class_with_one_patient_is_told_before_any_learning(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 8):
        (data / f"PNEUMONIA/person{number}_virus_{number}.jpeg").unlink()

    assert train(data, tmp_path) == 2

    told = capsys.readouterr().err
    assert "error: too_few_patients: " in told
    assert "of kind 'viral pneumonia', one for each part of the split. Received: 1." in told
    assert not (tmp_path / "package").exists()
    assert not list((tmp_path / "work").glob("epoch-*"))
