"""What is imported by whom: core stands alone, and nothing that trains is ever near a request."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER_IN_SERVING = ("tensorflow", "keras", "mlflow", "sklearn", "pandas", "matplotlib", "scipy", "torch", "training", "pytest")
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)
sys.meta_path.insert(0, Block())
"""


def run(code: str, *blocked: str) -> list[str]:
    """Run code in a fresh process in which some packages cannot be imported; return the top-level names that were loaded."""
    script = BLOCK.format(blocked=blocked) + code + "\nprint(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


CORE = ";".join(f"import core.{path.stem}" for path in sorted((ROOT / "core").glob("*.py")) if path.stem != "__init__")
PREDICT = "from core import bootstrap, phantom; from tests.support.requests import post; "
PREDICT += "assert bootstrap.bootstrap({}).handle(post(phantom.jpeg())).status == 200"
PROGRAMS = {
    "every module of core": CORE,
    "a prediction": PREDICT,
    "Google's door": "import function_gcp.main",
    "Azure's door": "import function_azure.function_app",
    "the terminal": "import cli.main",
}


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_serving_loads_nothing_that_trains(code: str) -> None:
    assert set(run(code)) & set(NEVER_IN_SERVING) == set()


@pytest.mark.parametrize("code", [CORE, PREDICT], ids=["every module", "a prediction"])
def test_core_needs_neither_cloud(code: str) -> None:
    run(
        code,
        "flask",
        "functions_framework",
        "werkzeug",
        "gunicorn",
        "azure",
        "azure_functions_runtime",
        "google",
        "function_gcp",
        "function_azure",
    )


def test_terminal_predicts_without_either_cloud() -> None:
    code = "from cli.main import main; from pathlib import Path; import tempfile\n"
    code += "file = Path(tempfile.mkdtemp()) / 'p.jpg'\nassert main(['phantom', str(file)]) == 0\nassert main(['predict', str(file)]) == 0"

    run(code, "flask", "functions_framework", "werkzeug", "gunicorn", "azure", "azure_functions_runtime")


def test_terminal_smokes_without_either_cloud() -> None:
    code = "from cli.main import main\nassert main(['smoke', 'http://127.0.0.1:9']) == 2  # nobody is there"

    loaded = run(code, "flask", "functions_framework", "werkzeug", "gunicorn", "azure", "azure_functions_runtime", "requests")
    assert set(loaded) & set(NEVER_IN_SERVING) == set()


def test_doors_do_not_know_each_other() -> None:
    assert "azure" not in run("import function_gcp.main")
    assert set(run("import function_azure.function_app")) & {"flask", "functions_framework"} == set()


@pytest.mark.parametrize("door", ["function_gcp.main", "function_azure.function_app"])
def test_importing_a_door_does_not_load_the_model(door: str) -> None:
    """functions-framework imports in gunicorn's master process and forks; Azure's worker has a limit on its start."""
    run(f"import {door}, core.bootstrap, threading\nassert core.bootstrap._service is None\nassert threading.active_count() == 1")
