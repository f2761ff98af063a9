"""The files around the code: locked requirements, make targets, and commands in the documents."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from cli import main
from core.manifest import read
from core.settings import BAKED_MODEL

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
NOT_SERVING = ("tensorflow", "keras", "mlflow", "scikit-learn", "pandas", "matplotlib", "scipy", "torch", "pytest", "mypy", "ruff")
NOT_A_TARGET = re.compile(r"^(-|[A-Z_]+=)")


def requirements(path: Path) -> dict[str, str]:
    """Return each requirement of a locked file by its name, with its version, markers and hashes on one line."""
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    found = [line for line in lines if line and not line.lstrip().startswith("#")]
    return {re.split(r"[=\[ ;]", line, maxsplit=1)[0].lower(): line for line in found}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def shell_lines(text: str) -> list[str]:
    """Return the commands of a document: lines of its shell blocks, and what stands in backticks."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("path", LOCKED, ids=name_of)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    found = requirements(path)

    assert found
    assert [name for name, line in found.items() if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("path", LOCKED, ids=name_of)
def test_requirements_name_no_place_to_get_them_from(path: Path) -> None:
    assert re.findall(r"https?://|file:|--index-url|--extra-index-url|--find-links|--trusted-host|git\+", path.read_text("utf-8")) == []


def test_what_serves_holds_nothing_that_trains_or_tests() -> None:
    assert set(requirements(ROOT / "requirements" / "serve.txt")) & set(NOT_SERVING) == set()


def test_what_serves_and_what_develops_have_the_same_versions() -> None:
    everything = requirements(ROOT / "requirements" / "dev.txt")

    def version(line: str) -> str:
        return line.split("--hash")[0].split(";")[0].strip()

    for path in (ROOT / "requirements" / "serve.txt", ROOT / "requirements" / "test.txt", ROOT / "requirements" / "train.txt"):
        different = {name for name, line in requirements(path).items() if name in everything and version(line) != version(everything[name])}
        # The Azure library has a version for each range of Python: it stands twice.
        assert different <= {"azure-functions"}


def test_direct_requirements_are_in_the_locked_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[<>=!;\[ ]", name, maxsplit=1)[0].lower() for name in project["dependencies"]}

    assert wanted <= set(requirements(ROOT / "requirements" / "serve.txt"))


def test_every_target_is_explained_by_make_help() -> None:
    assert targets() == set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))
    assert ".PHONY: $(shell" in MAKEFILE  # from the same lines


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_commands_in_the_documents_exist(document: Path) -> None:
    named = {
        word
        for line in shell_lines(document.read_text("utf-8"))
        for call in re.findall(r"(?:^|[ &;])make ([^&;|]*)", line)
        for word in shlex.split(call)
        if not NOT_A_TARGET.match(word)
    }

    assert named <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_of_the_terminal_in_the_documents_exist(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    known = set(re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE))

    named = {word for line in shell_lines(document.read_text("utf-8")) for word in re.findall(r"(?:^|[/ ])pneumonia ([a-z-]+)", line)}

    assert named <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_within_the_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))

    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_continuous_integration_calls_targets_that_exist() -> None:
    lines = re.findall(r"^(?!\s*#).*\bmake ([a-z -]+)", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    called = {word for line in lines for word in line.split() if not word.startswith("-")}

    assert {"check", "test", "test-serving"} <= called
    assert called <= targets()


def test_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "core/__init__.py"


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_documents_show_the_figures_of_the_baked_model(document: str) -> None:
    manifest, _ = read(next(BAKED_MODEL.glob("*/manifest.json")).parent)
    point = manifest.operating_point(None)
    assert point is not None
    assert point.sensitivity is not None
    assert point.specificity is not None
    shown = {
        "threshold": point.threshold,
        "indeterminate_from": point.indeterminate_from,
        "indeterminate_to": point.indeterminate_to,
        "sensitivity": point.sensitivity.value,
        "specificity": point.specificity.value,
    }

    text = (ROOT / document).read_text("utf-8")

    assert {name: [float(value) for value in re.findall(rf'"{name}": ([0-9.]+)', text)] for name in shown} == {
        name: [value] for name, value in shown.items()
    }
