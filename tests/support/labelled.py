"""A small labelled data set of phantoms, and `pneumonia evaluate` on it."""

from pathlib import Path

import pytest

from cli.main import main
from core.settings import BAKED_MODEL
from tests.training.conftest import BACTERIAL, VIRAL, draw

MODEL = str(BAKED_MODEL)


def draw_folder(folder: Path) -> Path:
    """Twelve phantoms of nine patients, and two files that are no pictures."""
    for number in range(4):
        draw(folder / f"NORMAL/IM-{number // 2:04d}-000{number}.jpeg", number)
        draw(folder / f"PNEUMONIA/person{number}_bacteria_{number}.jpeg", 100 + number, BACTERIAL)
        draw(folder / f"PNEUMONIA/person{number // 2}_virus_{number}.jpeg", 200 + number, VIRAL)
    (folder / "NORMAL/notes.txt").write_text("not a picture")
    (folder / "PNEUMONIA/empty.jpeg").touch()
    return folder


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["evaluate", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err
