import os
from pathlib import Path

import pytest

from core import phantom
from tests.contract.doors import CoreDoor
from tests.support.pictures import chest, encode

SECRETS = ("AZURE_FUNCTIONS_KEY", "GOOGLE_IDENTITY_TOKEN")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal reads the person's environment: here it starts without any of our settings."""
    for name in [name for name in os.environ if name.startswith("PNEUMONIA_") or name in SECRETS]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def core() -> CoreDoor:
    """A sound service, without a process of its own."""
    return CoreDoor({})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, some of them below another folder, and a file that is none."""
    pictures = tmp_path / "pictures"
    (pictures / "below").mkdir(parents=True)
    (pictures / "a.jpg").write_bytes(phantom.jpeg(1))
    (pictures / "b.PNG").write_bytes(encode(chest(), "PNG"))
    (pictures / "below" / "c.tiff").write_bytes(encode(chest(), "TIFF"))
    (pictures / "notes.txt").write_text("not a picture")
    return pictures
