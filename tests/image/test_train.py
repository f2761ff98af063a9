"""The target that retrains: every step of it but the 2 GB of TensorFlow and its kind, in whose place the serving packages stand."""

import shutil
import subprocess
from pathlib import Path

import pytest

from function_gcp.serve import NOBODY
from tests.image import engines
from tests.image.conftest import Image
from tests.image.engines import ROOT, Options

pytestmark = pytest.mark.image
TAG = "localhost/pneumonia-functions:test-train"
KEPT = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]


@pytest.fixture(scope="module")
def trainer(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Build the target from a copy of what `.dockerignore` lets through, with a list of packages to train with that is empty."""
    folder = tmp_path_factory.mktemp("context")
    for name in ("Dockerfile", ".dockerignore", *KEPT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / "requirements" / "train.txt").write_text("")
    engines.build(TAG, "train", folder, image.base)
    return image._replace(tag=TAG)


def run(trainer: Image, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the job's container with the arguments that a launcher gives."""
    with trainer.running(Options(command=arguments)) as container:
        return subprocess.run(container.command, capture_output=True, text=True, check=False)


def test_a_launchers_arguments_reach_the_retraining(trainer: Image) -> None:
    done = run(trainer, "retrain", "--job", "00000001")

    assert done.returncode == 2
    assert done.stderr.startswith("error: no_store: ")


def test_the_job_has_the_training_code_and_says_what_is_missing(trainer: Image) -> None:
    done = run(trainer, "train", "/tmp", "--weights", "none", "--out", "/tmp/package")

    assert done.returncode == 2
    assert done.stderr.startswith("error: missing_package: Expected ")


def test_the_job_runs_as_nobody_at_home_where_it_may_write(trainer: Image) -> None:
    settings = trainer.engine.settings(TAG)
    environ = dict(line.split("=", 1) for line in settings["Env"])

    assert settings["User"] == f"{NOBODY}:{NOBODY}"
    assert (settings["Entrypoint"], settings["Cmd"]) == (["pneumonia"], ["--help"])
    assert (environ["HOME"], settings["WorkingDir"]) == ("/tmp", "/tmp")
    assert Path(environ["PYTHONPATH"]).name == "site-packages"
