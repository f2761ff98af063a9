"""Rules of the house that no linter of ours knows."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVING = ("core", "function_gcp", "function_azure")
PACKAGES = (*SERVING, "cli", "training", "benchmarks", "tests")
MOST_LINES = 250
# Configuration is read where a process begins, and nowhere else.
# training/tracking.py sets a variable, since MLflow has no other switch for its telemetry.
# function_gcp/serve.py reads PORT, which is the platform's and no setting of ours.
MAY_READ_THE_ENVIRONMENT = ("core/bootstrap.py", "function_azure/function_app.py", "function_gcp/serve.py", "training/tracking.py", "cli/")
MAY_PRINT = ("function_azure/host.py",)
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".dcm", ".npy", ".svgz"}
DRAWINGS = {".svg"}  # not .svgz: what is in it cannot be read
RASTER = re.compile(rb"<(?:\w+:)?(?:image|foreignObject)|data:image", re.IGNORECASE)
# Azure's script root is the same for all.
MACHINE = re.compile(rb"/home/(?!site/wwwroot)|/Users/|/root/|C:\\Users")


def modules(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("needs the git checkout: what is tracked cannot be told without it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def environment_reads(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
            and node.attr in ("environ", "getenv")
        ):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os" and {alias.name for alias in node.names} & {"environ", "getenv"}:
            yield node.lineno


def prints(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


def broken(rule: Callable[[ast.AST], Iterable[int]], exempt: tuple[str, ...], *packages: str) -> list[str]:
    """Return where a rule finds something: "module:line"."""
    named = {name_of(path): path for path in modules(*packages) if not name_of(path).startswith(exempt)}
    return [f"{name}:{line}" for name, path in named.items() for line in rule(ast.parse(path.read_text("utf-8")))]


def test_environment_is_read_only_where_a_process_begins() -> None:
    assert broken(environment_reads, MAY_READ_THE_ENVIRONMENT, *SERVING, "cli", "training") == []


def test_only_programs_for_the_terminal_print() -> None:
    assert broken(prints, MAY_PRINT, *SERVING, "training") == []


def test_exemptions_are_needed() -> None:
    needed = broken(environment_reads, (), *SERVING, "cli", "training")
    assert [place for place in MAY_READ_THE_ENVIRONMENT if not any(line.startswith(place) for line in needed)] == []


def test_module_holds_one_concept() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules(*PACKAGES)}

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_module_says_why_it_exists() -> None:
    silent = [name_of(path) for path in modules(*SERVING, "cli", "training") if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert silent == []


def test_modules_are_named_after_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [name_of(path) for path in modules(*PACKAGES) if path.stem in vague] == []


def test_no_picture_is_in_the_repository() -> None:
    assert [name_of(path) for path in tracked() if path.suffix.lower() in PICTURES] == []


def test_drawings_lie_in_a_packages_report_or_in_the_documents() -> None:
    found = [name_of(path) for path in tracked() if path.suffix.lower() in DRAWINGS]

    assert [name for name in found if not re.match(r"(model/[^/]+/report|docs)/", name)] == []


def test_no_drawing_holds_a_picture() -> None:
    texts = {name_of(path): path.read_bytes() for path in tracked() if path.suffix.lower() in DRAWINGS}

    assert [name for name, text in texts.items() if RASTER.search(text)] == []


@pytest.mark.parametrize("inside", ['<image href="a"/>', '<svg:image x="1"/>', "<g style='fill:url(data:IMAGE/png;base64,A)'/>"])
def test_a_picture_in_a_drawing_is_found(inside: str) -> None:
    assert RASTER.search(f"<svg>{inside}</svg>".encode())


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    here = name_of(Path(__file__))
    texts = {name_of(path): path.read_bytes() for path in tracked()}

    assert [name for name, text in texts.items() if name != here and MACHINE.search(text)] == []


def test_no_file_but_a_model_is_large() -> None:
    large = {name_of(path): path.stat().st_size for path in tracked() if path.stat().st_size > 500_000}

    assert [name for name in large if not name.startswith("model/")] == []
