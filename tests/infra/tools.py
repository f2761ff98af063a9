"""Where the tools are that look at infra/: `make infra-tools` installs them. Without them a test skips with a sentence, in CI it fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
GCP = ROOT / "infra" / "gcp"
AZURE = ROOT / "infra" / "azure"
NODE_MODULES = ROOT / ".infra-tools" / "node_modules"
PYTHON = ROOT / ".venv-infra" / "bin" / "python"


def missing(what: str) -> NoReturn:
    sentence = f"needs {what}: `make infra-tools` installs it where there is npm"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def node() -> str:
    """Return the program that runs JavaScript, once the packages are there."""
    program = shutil.which("node")
    if program is None or not all((NODE_MODULES / "@cdktf" / name).is_dir() for name in ("hcl2json", "hcl-tools")):
        missing("@cdktf/hcl2json and @cdktf/hcl-tools, HashiCorp's parser and formatter of HCL")
    return program


def google_typings() -> Path:
    """Return the folder with the Google provider's typings."""
    folder = NODE_MODULES / "@cdktf" / "provider-google" / "lib"
    if not folder.is_dir():
        missing("@cdktf/provider-google, the provider's typings")
    return folder


def infra_python() -> Path:
    """Return the Python that has checkov, the grammar of Bicep and Azure's models."""
    if not PYTHON.exists():
        missing(".venv-infra")
    return PYTHON


def azure_models() -> Path:
    """Return the folder of Azure's management libraries."""
    infra_python()
    folders = list((ROOT / ".venv-infra" / "lib").glob("python*/site-packages/azure/mgmt"))
    if not folders:
        missing("Azure's management libraries")
    return folders[0]
