"""Pictures that are there twice, and what parts of a data set share."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import phantom
from tests.training.chests import draw, draw_dataset, look, said
from training import duplicates

pytestmark = pytest.mark.train


def again(path: Path, change: Callable[[Image.Image], Image.Image]) -> Callable[[Path], None]:
    def store_again(source: Path) -> None:
        with Image.open(source) as image:
            change(image).save(path, "JPEG", quality=40)

    return store_again


CHANGES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "stored again": lambda image: image,
    "half the size": lambda image: image.resize((64, 64)),
    "stretched": lambda image: image.resize((200, 120)),
    "darker": lambda image: image.point([level * 3 // 4 for level in range(256)]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_picture_that_was_stored_again_is_found_across_patients_and_parts(name: str, tmp_path: Path) -> None:
    draw_dataset(tmp_path / "train", 2)
    draw(tmp_path / "test/NORMAL/IM-0900-0001.jpeg", 900)
    (tmp_path / "test/PNEUMONIA").mkdir()
    again(tmp_path / "test/PNEUMONIA/person99_virus_1.jpeg", CHANGES[name])(tmp_path / "train/NORMAL/IM-0001-0001.jpeg")
    found = look(tmp_path)

    assert [one.files for one in found.duplicates.near] == [("test/PNEUMONIA/person99_virus_1.jpeg", "train/NORMAL/IM-0001-0001.jpeg")]
    assert found.duplicates.identical == ()
    assert "1 has more than one kind, 1 of them more than one class" in said(found, "Duplicates")
    assert "test and train leak. They share 1 near-identical picture:" in said(found, "Leakage")


def test_other_chests_are_not_taken_for_the_same(tmp_path: Path) -> None:
    found = look(draw_dataset(tmp_path, 5)).duplicates

    assert found.near == found.identical == ()


def test_identical_files_and_patients_in_two_parts_leak(tmp_path: Path) -> None:
    train, test = tmp_path / "a", tmp_path / "b"
    draw_dataset(train, 3)
    draw(test / "NORMAL/IM-0002-0007.jpeg", 77)
    (test / "PNEUMONIA").mkdir()
    shutil.copyfile(train / "PNEUMONIA/person1_virus_1.jpeg", test / "PNEUMONIA/person8_virus_1.jpeg")
    found = look(train, test)

    shared = found.leakage.shared[0]
    assert (shared.one, shared.other) == ("a", "b")
    assert shared.patients == ("IM-0002",)
    assert (shared.patient_pictures, shared.identical_pictures, shared.near_pictures) == (1, 1, 0)
    assert "1 of the 1 set spans several patients, as far as names tell" in said(found, "Duplicates")


def test_parts_that_share_nothing_are_said_to(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "train", 2)
    draw(tmp_path / "val/NORMAL/IM-0900-0001.jpeg", 900)
    draw(tmp_path / "val/PNEUMONIA/person900_virus_1.jpeg", 901)
    found = look(tmp_path)

    assert found.parts == {"train": 6, "val": 2}
    assert said(found, "Leakage") == "train and val share no patient by name and no picture."


def test_chests_whose_hashes_are_near_are_told_apart_by_their_pixels() -> None:
    thumbnails = np.stack([phantom.chest(seed, 64) for seed in range(12)])
    hashes = [duplicates.difference_hash(thumbnail) for thumbnail in thumbnails]
    near = {(one, other) for other in range(12) for one in range(other) if int(np.bitwise_count(hashes[one] ^ hashes[other]).sum()) <= 24}
    confirmed = {(one, other) for one, other, _ in duplicates.near_pairs(thumbnails)}

    alike = {pair for pair in near if duplicates.compare(*thumbnails[list(pair)]) <= 0.10}

    assert confirmed == alike
    assert alike < near


def test_names_that_tell_no_patient_mean_nothing_in_another_part(tmp_path: Path) -> None:
    for number, part in enumerate(("train", "test")):
        draw(tmp_path / part / "NORMAL/1.jpeg", number)
        draw(tmp_path / part / "PNEUMONIA/2.jpeg", 10 + number)

    assert said(look(tmp_path), "Leakage") == "test and train share no patient by name and no picture."
