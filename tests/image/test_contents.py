"""What is in the image, and what is not."""

import json
import re
import subprocess
from typing import Any

import pytest

import core
from tests.image.conftest import Image, say
from tests.image.engines import ROOT, Options

pytestmark = pytest.mark.image
PACKAGES = "/home/site/wwwroot/.python_packages/lib/site-packages"
MOST_PACKAGES_MB = 180
MOST_PROJECT_MB = 10
NOT_SERVING = (
    "tensorflow keras mlflow sklearn pandas matplotlib scipy torch jax training pytest hatchling".split()
    # Azure's worker has its own; ours in front of them would break it (docs/decisions/0020).
    + ["google.protobuf", "grpc"]
)
LOOK = f"""
import compileall, importlib.util, json, os, pathlib, shutil, stat, sys
packages = pathlib.Path({PACKAGES!r})
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
special = [os.path.join(folder, name) for folder, _, names in os.walk("/") if not folder.startswith(("/proc", "/sys", "/dev")) for name in names
           if os.lstat(os.path.join(folder, name)).st_mode & (stat.S_ISUID | stat.S_ISGID)]
sources = [path for path in packages.rglob("*.py")]
print(json.dumps({{
    "python": sys.version.split()[0],
    "there": [name for name in {NOT_SERVING!r} if there(name)],
    "special": sorted(special),
    "compilers": [name for name in ("gcc", "cc", "g++", "clang", "make", "ld", "rustc") if shutil.which(name)],
    "uncompiled": [str(path) for path in sources
                   if not pathlib.Path(importlib.util.cache_from_source(str(path))).exists()],
    "sources": len(sources),
    "tests": [str(path) for path in packages.rglob("tests") if path.is_dir()],
    "left": [path for path in ("/etc/pip.conf", "/root/.cache", "/home/.cache", "/build", "/packages", "/project") if os.path.exists(path)],
    "root": sorted(path.name for path in pathlib.Path("/home/site/wwwroot").glob("*")),
}}))
"""


def look(image: Image, tag: str) -> dict[str, Any]:
    """Look around in a container."""
    with image.engine.running(tag, Options(command=["python", "-c", LOOK])) as container:
        done = subprocess.run(container.command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def inside(image: Image) -> dict[str, Any]:
    return look(image, image.tag)


def test_only_what_serves_is_there(inside: dict[str, Any]) -> None:
    assert inside["python"].startswith("3.13.")
    assert inside["there"] == []
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


def test_layers_stay_small(image: Image) -> None:
    layers = image.engine.layers(image.tag)
    ours = layers[len(image.engine.layers(image.base)) :]
    sizes = [layer.size_bytes / 1e6 for layer in ours]

    table = "\n".join(f"{size:8.1f} MB  {layer.step[:90]}" for size, layer in zip(sizes, ours, strict=True))
    say(f"our layers on top of {image.base}: {sum(sizes):.1f} MB before compression\n{table}")
    assert max(sizes) < MOST_PACKAGES_MB
    assert sum(sizes) - max(sizes) < MOST_PROJECT_MB


def test_what_changes_most_often_comes_last(image: Image) -> None:
    sizes = [layer.size_bytes for layer in image.engine.layers(image.tag)[len(image.engine.layers(image.base)) :]]

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
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": str(32 * 1024 * 1024),
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
