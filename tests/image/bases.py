"""The base that the image is built on here: `IMAGE_BASE`, or a stand-in of Azure's, made of Debian once and kept by the engine."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.image.engines import ROOT, Engine, build

STAND_IN = Path(__file__).with_name("stand_in")
HOST = [ROOT / "function_azure" / name for name in ("host.py", "messages.py", "routes.py", "worker.py")]
RUNTIME = ROOT / "requirements" / "azure-runtime.txt"
# What Azure's base has of it, as far as our packages or its Python want it.
DEBIAN = ("trixie", "ca-certificates,libgomp1,libstdc++6,python3,python3-pip")


def find(engine: Engine) -> str:
    """Return the base's name; make the stand-in where it is wanted and not there yet, or skip the test where it cannot be made."""
    given = os.environ.get("IMAGE_BASE")
    if given:
        return given
    parts = [*HOST, RUNTIME, *(path for path in sorted(STAND_IN.iterdir()) if path.is_file())]
    digest = hashlib.sha256("".join([*DEBIAN, *(path.read_text("utf-8") for path in parts)]).encode()).hexdigest()[:12]
    tag = f"localhost/azure-functions-stand-in:{digest}"
    if not engine.has(tag):
        if os.getuid() != 0 or shutil.which("mmdebstrap") is None:
            pytest.skip("needs a base: root and mmdebstrap (Debian) make a stand-in, or IMAGE_BASE names one")
        with tempfile.TemporaryDirectory() as folder:
            make(tag, Path(folder))
    return tag


def make(tag: str, folder: Path) -> None:
    """Make the stand-in in a folder: Debian's files as a tar, beside them what the Dockerfile adds."""
    suite, packages = DEBIAN
    debian = folder / "debian.tar"
    lean = [
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
    ]
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={packages}", *lean, suite, str(debian)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "host").mkdir()
    for path in HOST:
        shutil.copy(path, folder / "host")
    for path in (RUNTIME, *STAND_IN.iterdir()):
        if path.is_file():
            shutil.copy(path, folder)
    build(tag, "", folder, None)
