"""What is in the image, and what is not."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import core
from core.settings import Settings
from tests.image.conftest import Image, say
from tests.image.engines import ROOT, Layer, Options

pytestmark = pytest.mark.image
PACKAGES = "/home/site/wwwroot/.python_packages/lib/site-packages"
MOST_PACKAGES_MB = 180
MOST_PROJECT_MB = 10
LOOK = Path(__file__).with_name("look.py").read_text("utf-8")
NOT_SERVING = (
    "tensorflow",
    "keras",
    "mlflow",
    "sklearn",
    "pandas",
    "matplotlib",
    "scipy",
    "torch",
    "jax",
    "training",
    "pytest",
    "hatchling",
)
# Azure's worker has its own; ours in front of them would break it (docs/decisions/0020).
THE_WORKERS = ("google.protobuf", "grpc")


def look(image: Image, tag: str) -> dict[str, Any]:
    """Look around in a container."""
    with image.engine.running(tag, Options(command=["python", "-c", LOOK, PACKAGES, *NOT_SERVING, *THE_WORKERS])) as container:
        done = subprocess.run(container.command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def inside(image: Image) -> dict[str, Any]:
    return look(image, image.tag)


def test_only_what_serves_is_there(inside: dict[str, Any]) -> None:
    assert inside["python"].startswith("3.13.")
    assert inside["modules"] == []
    assert inside["tests"] == []
    assert inside["left"] == []
    assert inside["root"] == [".python_packages", "function_app.py", "host.json"]


def test_nothing_is_added_that_compiles_or_runs_as_its_owner(image: Image, inside: dict[str, Any]) -> None:
    before = look(image, image.base)

    assert inside["special"] == before["special"]
    assert inside["compilers"] == before["compilers"]


def test_every_module_is_compiled_beforehand(inside: dict[str, Any]) -> None:
    assert inside["sources"] > 500
    assert inside["uncompiled"] == []


@pytest.fixture(scope="module")
def ours(image: Image) -> list[Layer]:
    """The layers on top of the base, in their order."""
    return image.engine.layers(image.tag)[len(image.engine.layers(image.base)) :]


def test_layers_stay_small(image: Image, ours: list[Layer]) -> None:
    sizes = [layer.size_bytes / 1e6 for layer in ours]

    table = "\n".join(f"{size:8.1f} MB  {layer.step[:90]}" for size, layer in zip(sizes, ours, strict=True))
    say(f"our layers on top of {image.base}: {sum(sizes):.1f} MB before compression\n{table}")
    assert max(sizes) < MOST_PACKAGES_MB
    assert sum(sizes) - max(sizes) < MOST_PROJECT_MB


def test_what_changes_most_often_comes_last(ours: list[Layer]) -> None:
    sizes = [layer.size_bytes for layer in ours]

    assert sizes[0] == max(sizes)
    assert sizes[1] == max(sizes[1:])  # the model, before the code


def test_the_command_is_the_bases_and_the_variables_are_set(image: Image) -> None:
    settings, base = image.engine.settings(image.tag), image.engine.settings(image.base)
    given = dict(line.split("=", 1) for line in settings["Env"])

    assert settings["Cmd"] == base["Cmd"]
    assert (settings.get("Entrypoint") or []) == (base.get("Entrypoint") or [])
    assert {name: given[name] for name in given if name not in dict(line.split("=", 1) for line in base["Env"])} == {
        "PYTHONPATH": PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "AzureWebJobsDisableHomepage": "true",
        "AzureFunctionsJobHost__Logging__Console__IsEnabled": "true",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str((Settings().max_body_mb + 1) * 1024 * 1024),
    }
    assert given["AzureWebJobsScriptRoot"] == "/home/site/wwwroot"


def test_labels_say_what_it_is(image: Image) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in image.engine.settings(image.tag)["Labels"].items()}

    assert labels["title"] == "Pneumonia Functions"
    assert labels["version"] == core.__version__
    assert re.fullmatch("[0-9a-f]{40}(-dirty)?|unknown", labels["revision"])
    assert "GPL-3.0" in labels["licenses"]


def test_the_functions_lie_in_the_script_root_as_they_are_here(image: Image) -> None:
    command = ["cat", "/home/site/wwwroot/host.json", "/home/site/wwwroot/function_app.py"]
    with image.running(Options(command=command)) as container:
        done = subprocess.run(container.command, capture_output=True, text=True, check=True)

    assert done.stdout == (ROOT / "host.json").read_text("utf-8") + (ROOT / "function_azure" / "function_app.py").read_text("utf-8")
