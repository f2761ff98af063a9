"""What a package may say of the pictures that taught it."""

from pathlib import Path

import msgspec
import pytest

from core import manifest
from tests.training.conftest import draw, draw_dataset
from training import claims, dataset, guard

pytestmark = pytest.mark.train


def test_files_named_as_in_the_public_data_set_are_taken_for_it(tmp_path: Path) -> None:
    said = claims.of(dataset.index(draw_dataset(tmp_path, 2), progress=False))
    assert said == (True, claims.USE_FOR_CHILDREN, claims.OF_THE_PUBLIC)


def test_a_few_other_names_in_it_are_told(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 4)
    draw(tmp_path / "NORMAL/holiday.jpeg", 9)
    said = claims.of(dataset.index(tmp_path, progress=False))
    assert said.limits[:-1] == claims.OF_THE_PUBLIC
    assert said.limits[-1].startswith("1 of 13 file names tell no patient: ")


@pytest.mark.parametrize("folders", [("NORMAL", "PNEUMONIA"), ("normal", "viral-pneumonia")], ids=["two classes", "kinds"])
def test_of_other_pictures_no_package_claims_that_they_are_the_public_ones(folders: tuple[str, str], tmp_path: Path) -> None:
    for number in range(4):
        draw(tmp_path / folders[0] / f"person{number}_1.jpeg", number)
        draw(tmp_path / folders[1] / f"person{number}_virus_1.jpeg", 20 + number)
    draw(tmp_path / folders[1] / "scan.jpeg", 40)
    said = claims.of(dataset.index(tmp_path, progress=False, kinds_needed=False))
    assert not any("child" in sentence or "one hospital" in sentence for sentence in (said.intended_use, *said.limits))
    assert not said.of_children
    assert guard.UNGUARDED in said.limits
    assert said.limits[-1].startswith("1 of 9 file names tell no patient: ")


def test_a_person_may_say_that_other_pictures_are_of_children(tmp_path: Path) -> None:
    draw(tmp_path / "NORMAL/IM-0001.jpeg", 1)
    draw(tmp_path / "PNEUMONIA/scan.jpeg", 2)
    said = claims.of(dataset.index(tmp_path, progress=False, kinds_needed=False), of_children=True)
    assert said[:2] == (True, claims.USE_FOR_CHILDREN)
    assert said.limits[0] == "Trained on children; adults, and other hospitals, ages and detectors than theirs are untested."


def test_a_package_holds_the_claims_of_what_taught_it(package: Path, phantoms: Path) -> None:
    written, _ = manifest.read(package)
    assert (written.of_children, written.intended_use, written.limits) == claims.of(dataset.index(phantoms, progress=False))


def test_a_retrained_package_says_whose_caveats_it_hands_on(package: Path) -> None:
    before = manifest.read(package)[0]
    written = msgspec.structs.replace(before, limits=(*before.limits, "Asked often."))
    once = claims.retrained(written)
    handed_on = f"Said of {before.name} {before.version}, from which it went on: Asked often."
    assert once == (*claims.OF_THE_PUBLIC[:-1], handed_on, claims.RETRAINED)
    twice = guard.limits(claims.retrained(msgspec.structs.replace(before, version="9.0.0", limits=once)), None, for_children=True)
    assert twice == once
