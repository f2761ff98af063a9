"""The page on the data that travels in a package: what was found, without a picture or a name."""

import re
import shutil
from pathlib import Path

import pytest

from cli.main import main
from core import manifest
from core.package import load
from tests.training.chests import draw, draw_dataset
from training import data_page, errors, explore

pytestmark = pytest.mark.train

RASTER = re.compile(rb"<(?:\w+:)?(?:image|foreignObject)|data:image", re.IGNORECASE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The page on a data set with several pictures of a patient, twins of two patients, and a file that cannot be read."""
    folder = draw_dataset(tmp_path_factory.mktemp("data"), 6)
    for number in range(2, 6):
        draw(folder / f"PNEUMONIA/person3_virus_9{number}.jpeg", 300 + number)
    shutil.copyfile(folder / "NORMAL/IM-0001-0001.jpeg", folder / "NORMAL/IM-0777-0001.jpeg")
    (folder / "NORMAL/IM-0888-0001.jpeg").write_text("no picture")
    return data_page.draw(explore.explore([folder], 2, progress=False))


def test_page_says_what_explore_says(files: dict[str, bytes]) -> None:
    text = files["report/data.md"].decode()

    assert "23 pictures of 19 patients" in text
    assert "| NORMAL | normal | 7 | 7 |" in text
    assert "1 set of byte-identical files" in text.lower()
    assert "1 file of 24 cannot be read" in text
    for heading in ("Classes", "Size", "Brightness", "Sharpness", "Patients", "Duplicates", "Leakage", "Dumb-feature baseline"):
        assert f"\n## {heading}\n" in text


def test_every_drawing_is_shown_and_every_shown_drawing_is_there(files: dict[str, bytes]) -> None:
    shown = {f"report/{name}" for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", files["report/data.md"].decode())}

    assert shown == set(files) - {"report/data.md"}
    assert {"report/data-classes.svg", "report/data-patients.svg"} <= shown
    assert all(data_page.belongs(name) for name in files)
    assert not data_page.belongs("report/roc.svg")


def test_no_picture_and_no_name_travels(files: dict[str, bytes]) -> None:
    whole = b"".join(files.values())

    assert re.findall(rb"IM-\d|person\d|\.jpe?g", whole) == []
    assert not RASTER.search(whole)
    assert b"Most has one patient: 5" in whole


def test_sizes_are_few_dots_however_many_pictures_there_are(tmp_path: Path) -> None:
    from PIL import Image

    for number in range(120):
        path = tmp_path / ("NORMAL" if number % 2 else "PNEUMONIA") / f"person{number}_virus_1.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (900 + number % 8, 700), number).save(path)

    drawn = data_page.draw(explore.explore([tmp_path], 2, progress=False))["report/data-size.svg"]

    assert drawn.count(b"<use ") < 60


def test_training_puts_the_page_into_its_package(package: Path, phantoms: Path, tmp_path: Path) -> None:
    found, _ = manifest.read(package)
    assert {"report/data.md", "report/data-classes.svg"} <= set(found.files)

    stripped = tmp_path / "stripped"
    assert main(["export", str(package), "--out", str(stripped)]) == 0
    assert (stripped / "report/data.md").read_bytes() == (package / "report/data.md").read_bytes()  # kept where nobody asks anew

    assert main(["export", str(package), "--data", str(phantoms), "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/report/data.md").read_bytes() == (package / "report/data.md").read_bytes()
    load(tmp_path / "again")


def test_another_data_set_is_refused(package: Path, tmp_path: Path) -> None:
    found, _ = manifest.read(package)

    with pytest.raises(errors.RunMismatch, match="learned from"):
        data_page.of_package(draw_dataset(tmp_path, 2), found, 1)
