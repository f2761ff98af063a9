"""Data sets of chests that no two of resemble each other, and what an exploration says of them."""

from pathlib import Path

import numpy as np
from PIL import Image

from core import phantom
from core.phantom import Opacity
from training import explore


def look(*given: Path) -> explore.Findings:
    return explore.explore(given, 1, progress=False).findings


def said(found: explore.Findings, title: str) -> str:
    return " ".join(found.sentences[title])


def store(path: Path, grey: np.ndarray, **options: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey).save(path, "JPEG", **options)


def chest(seed: int) -> np.ndarray:
    """A phantom that no other resembles: children differ more than plain phantoms do."""
    places = np.random.default_rng(seed).uniform(0.1, 0.9, (6, 2))
    return phantom.chest(seed, 128, tuple(Opacity(x, y, 0.2, 90.0 if turn % 2 else -60.0) for turn, (x, y) in enumerate(places)))


def draw(path: Path, seed: int) -> None:
    store(path, chest(seed), quality=90)


def draw_dataset(folder: Path, patients: int) -> Path:
    for number in range(patients):
        draw(folder / f"NORMAL/IM-{number:04d}-0001.jpeg", number)
        draw(folder / f"PNEUMONIA/person{number}_bacteria_{number}.jpeg", 100 + number)
        draw(folder / f"PNEUMONIA/person{number}_virus_{number}.jpeg", 200 + number)
    return folder
