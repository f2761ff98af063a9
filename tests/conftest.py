"""What tests of several folders need: the model package of the checkout, and the data folder where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import resuming
from core import package, settings
from core.api import Service
from core.bootstrap import bootstrap
from core.classifier import Classifier

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def unrecorded() -> Iterator[None]:
    """Commands are recorded in MLflow only where a test asks for it: it takes seconds each, and would lie in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "none")
        yield


@pytest.fixture(scope="session", autouse=True)
def answers_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where commands keep answers: a command that a test lets fail would leave them in the checkout."""
    folder = tmp_path_factory.mktemp("answers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resuming, "FOLDER", folder)
        yield folder


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The package that the project ships, loaded once."""
    return package.load(settings.BAKED_MODEL, interpreters=2)


@pytest.fixture(scope="session")
def service() -> Service:
    """A service with the package that the project ships and no settings."""
    return bootstrap({})


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real pictures."""
    if not DATA.is_dir():
        pytest.skip("needs real pictures: Chest X-Ray Images (Pneumonia), doi 10.17632/rscbjbr9sj, in ../shared/data")
    return DATA
