"""How the worst mistakes are drawn."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core import package as packages
from training import mistake_pictures
from training.evaluation import Mistake

pytestmark = pytest.mark.train


def mistakes(phantoms: Path, count: int) -> list[tuple[Mistake, Path]]:
    files = sorted((phantoms / "PNEUMONIA").iterdir())[:count]
    return [
        (Mistake(file=f"PNEUMONIA/{file.name}", truth="pneumonia", kind=None, probability=0.25, decision="negative"), file)
        for file in files
    ]


@pytest.mark.parametrize(("arch", "views"), [("cnn", 2), ("dense", 1)], ids=["beside its heat map", "alone where there is none"])
def test_each_mistake_is_drawn(arch: str, views: int, phantoms: Path, package: Path, train_tiny: Callable[..., Path]) -> None:
    classifier = packages.load(package if arch == "cnn" else train_tiny("--arch", arch))
    figure = mistake_pictures.draw(mistakes(phantoms, 4), classifier, classifier.operating_point(None))
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(figure.axes) == 6 * views  # two rows of three
    assert len(drawn) == 4 * views
    assert [axes.get_title(loc="left").splitlines()[0] for axes in drawn[::views]] == [file.name for _, file in mistakes(phantoms, 4)]
    assert bool(mistake_pictures.beside(classifier.manifest)) == (views == 2)
