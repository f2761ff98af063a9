"""Resolve `requirements/*.txt` from the ranges in `pyproject.toml`: `make requirements`.

One resolution for all: `dev.txt` is resolved first and holds the others to its versions. Every file is for all platforms and Pythons
(environment markers), with hashes, and names no registry.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ["pyproject.toml", "--python-version", "3.11"]
EVERYTHING = "dev"
SELECTIONS = {
    EVERYTHING: [*PROJECT, "--all-extras", "--group", "dev"],
    "serve": [*PROJECT, "--extra", "serve", "--extra", "dicom"],
    "test": [*PROJECT, "--extra", "serve", "--extra", "dicom", "--group", "test"],
    "train": [*PROJECT, "--extra", "train"],
    "build": ["--group", "build", "--python-version", "3.11"],
    "installer": ["--group", "installer", "--python-version", "3.11"],
    "infra": ["--group", "infra", "--python-version", "3.11"],
    "azure-runtime": ["--group", "azure-runtime", "--no-deps", "--python-version", "3.13"],
}
OPTIONS = ["--universal", "--generate-hashes", "--upgrade", "--no-emit-index-url", "--no-emit-find-links"]

for name, selection in SELECTIONS.items():
    print(f"resolving requirements/{name}.txt", file=sys.stderr)
    constraints = [] if name in {EVERYTHING, "infra"} else ["--constraints", f"requirements/{EVERYTHING}.txt"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *selection, *constraints, *OPTIONS, "--quiet"]
    output = ["--output-file", f"requirements/{name}.txt", "--custom-compile-command", "make requirements"]
    subprocess.run([*command, *output], cwd=ROOT, check=True)
