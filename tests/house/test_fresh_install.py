"""The project installed as a user installs it: an empty environment, the serving requirements, and nothing from this checkout."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from core import phantom

ROOT = Path(__file__).resolve().parents[2]
NEVER_INSTALLED = {"tensorflow", "keras", "mlflow", "scikit-learn", "pandas", "matplotlib", "scipy", "torch", "jax", "pytest"}
NEVER_IMPORTED = {"tensorflow", "keras", "mlflow", "sklearn", "pandas", "matplotlib", "scipy", "torch", "jax", "training"}
MOST_MEGABYTES = 250

pytestmark = pytest.mark.registry

SERVE_ONE = """
import json, sys
from pathlib import Path
import functions_framework, function_gcp.main
app = functions_framework.create_app("pneumonia", function_gcp.main.__file__, "http")
answer = app.test_client().post("/predict", data=Path(sys.argv[1]).read_bytes(), content_type="image/jpeg")
print(json.dumps({"status": answer.status_code, "answer": answer.json, "modules": sorted({name.partition(".")[0] for name in sys.modules}),
                  "home": function_gcp.main.__file__}))
"""


class Environment:
    """A virtual environment that knows nothing of this checkout."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.scripts = folder / "bin"

    def run(self, command: Sequence[str], cwd: Path) -> str:
        """Run one of its programs in a folder; return what it printed."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PNEUMONIA_", "PYTHON", "VIRTUAL_ENV"))}
        program, *arguments = command
        done = subprocess.run([self.scripts / program, *arguments], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *arguments: str) -> None:
        """Install with its own pip."""
        self.run(["python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], ROOT)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    fresh = Environment(tmp_path_factory.mktemp("fresh") / "environment")
    fresh.install("--require-hashes", "-r", "requirements/serve.txt")
    fresh.install("--no-deps", str(ROOT))
    return fresh


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder that is not the checkout, with a picture in it."""
    (tmp_path / "phantom.jpg").write_bytes(phantom.jpeg())
    return tmp_path


def test_terminal_predicts_from_any_folder_with_the_model_that_travelled_along(environment: Environment, elsewhere: Path) -> None:
    answer = json.loads(environment.run(["pneumonia", "predict", "--json", "phantom.jpg"], elsewhere))

    assert answer["status"] == "ok"
    assert (answer["file"], answer["image"]["format"]) == ("phantom.jpg", "jpeg")
    assert answer["pneumonia"]["decision"] in environment.run(["pneumonia", "predict", "phantom.jpg"], elsewhere)


def test_serving_loads_nothing_that_trains(environment: Environment, elsewhere: Path) -> None:
    served = json.loads(environment.run(["python", "-c", SERVE_ONE, "phantom.jpg"], elsewhere).splitlines()[-1])

    assert (served["status"], served["answer"]["status"]) == (200, "ok")
    assert str(ROOT) not in served["home"]
    assert set(served["modules"]) & NEVER_IMPORTED == set()
    assert {"core", "ai_edge_litert", "numpy", "PIL"} <= set(served["modules"])


def test_nothing_that_trains_is_installed(environment: Environment, elsewhere: Path) -> None:
    listed = json.loads(environment.run(["python", "-m", "pip", "list", "--format", "json"], elsewhere))

    names = {package["name"].lower() for package in listed}
    assert names & NEVER_INSTALLED == set()
    assert "pneumonia-functions" in names


def test_installation_fits_together(environment: Environment, elsewhere: Path) -> None:
    environment.run(["python", "-m", "pip", "check"], elsewhere)


def test_answer_is_the_one_of_this_checkout(environment: Environment, elsewhere: Path) -> None:
    from core.bootstrap import bootstrap
    from tests.support.requests import post, read

    installed = json.loads(environment.run(["pneumonia", "predict", "--json", "phantom.jpg"], elsewhere))
    here = read(bootstrap({}).handle(post(phantom.jpeg())))

    assert installed["model"] == here["model"]
    assert installed["pneumonia"]["probability"] == pytest.approx(here["pneumonia"]["probability"], abs=1e-6)


def test_installation_stays_small(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    [site] = environment.scripts.parent.glob("lib/python*/site-packages")
    sizes = {folder.name: sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6 for folder in site.iterdir()}
    sizes = {name: size for name, size in sizes.items() if not name.startswith(("pip", "setuptools"))}
    total = sum(sizes.values())

    with capsys.disabled():
        largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:8]
        sys.stdout.write(
            f"\n{total:.0f} MB on Python {sys.version.split()[0]}: " + ", ".join(f"{name} {size:.0f}" for name, size in largest) + "\n"
        )

    assert total < MOST_MEGABYTES
