"""A data set of phantoms and a model trained on it: small enough for every test run, real enough to go all the way to a package."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from core import manifest, phantom
from core.phantom import Opacity
from tests.support import nurseries
from tests.support.evaluations import report_of

SIDE_PX = 128
PATIENTS = 8  # of each kind: six to fit, one to tune, one to test

BACTERIAL = (Opacity(0.30, 0.50, 0.10, 90.0),)
VIRAL = (Opacity(0.30, 0.40, 0.20, 45.0), Opacity(0.70, 0.40, 0.20, 45.0))


def draw(path: Path, seed: int, opacities: tuple[Opacity, ...] = ()) -> None:
    """Write one phantom as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(phantom.chest(seed, SIDE_PX, opacities)).save(path, "JPEG", quality=90)


def draw_dataset(folder: Path, patients: int = PATIENTS) -> Path:
    """Write NORMAL and PNEUMONIA pictures named as in the public data set."""
    for number in range(patients):
        draw(folder / f"NORMAL/IM-{number:04d}-0001.jpeg", number)
        draw(folder / f"PNEUMONIA/person{number}_bacteria_{number}.jpeg", 100 + number, BACTERIAL)
        draw(folder / f"PNEUMONIA/person{number}_virus_{number}.jpeg", 200 + number, VIRAL)
    return folder


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a data set of 24 phantoms."""
    return draw_dataset(tmp_path_factory.mktemp("phantoms"))


@pytest.fixture(scope="session")
def train_tiny(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that runs `pneumonia train` on the phantoms and returns the package's folder."""
    from cli.main import main

    def train(*options: str, out: Path | None = None) -> Path:
        folder = tmp_path_factory.mktemp("run")
        target = out or folder / "package"
        command = ["train", str(phantoms), "--arch", "cnn", "--weights", "none", "--head-epochs", "0", "--epochs", "1", "--batch-size", "4"]
        command += ["--tracking", "none"]
        assert main([*command, "--out", str(target), "--work", str(folder / "work"), *options]) == 0
        return target

    return train


@pytest.fixture(scope="session")
def package(train_tiny: Callable[..., Path]) -> Path:
    """A package with `network.keras`, trained on the phantoms."""
    return train_tiny("--keep-keras", "--dataset-name", "phantoms")


@pytest.fixture(scope="session")
def open_nursery() -> Iterator[nurseries.Nursery]:
    """The nursery of all tests that kill a command."""
    with nurseries.opened() as opened:
        yield opened


@pytest.fixture
def nursery(open_nursery: nurseries.Nursery) -> Iterator[nurseries.Nursery]:
    """A nursery without workers, before the test and after it."""
    yield open_nursery
    open_nursery.clear()


@pytest.fixture(scope="session")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny package to retrain from, which tells the phantoms apart."""
    from tests.training import retraining

    return retraining.champion(tmp_path_factory.mktemp("champion"), epochs=12)


@pytest.fixture(scope="session")
def evaluated(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package exported with an evaluation of it."""
    from cli.main import main

    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "evaluation.json").write_text(json.dumps(report_of(manifest.read(package)[0])))
    assert main(["export", str(package), "--evaluation", str(folder / "evaluation.json"), "--out", str(folder / "package")]) == 0
    return folder / "package"
