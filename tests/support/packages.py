"""Variants of the package that the project ships: a copy, changed, and signed again where it should load."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core import phantom
from core.classifier import calibrate
from core.images import preprocess
from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE, read
from core.network import Network
from core.package import SELFTEST_SIDE_PX
from core.settings import BAKED_MODEL

Json = dict[str, Any]
Change = Callable[[Json], object]
NAME = "pneumonia"


def baked() -> Path:
    """Return the folder of the package that the project ships."""
    return next(path.parent for path in BAKED_MODEL.glob(f"*/{MANIFEST_FILE}"))


def copy(parent: Path, name: str = NAME) -> Path:
    """Copy what makes the shipped package load into a new folder below `parent`."""
    package = parent / name
    package.mkdir(parents=True)
    for file in (MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE):
        shutil.copyfile(baked() / file, package / file)
    edit(package, MANIFEST_FILE, lambda manifest: manifest.update(files={}))
    sign(package)
    return package


def edit(package: Path, file: str, change: Change) -> None:
    """Change a JSON file of a package in place, and nothing else: digests stay what they were."""
    path = package / file
    content: Json = msgspec.json.decode(path.read_bytes())
    change(content)
    path.write_bytes(msgspec.json.encode(content))


def sign(package: Path) -> None:
    """Write the digests of the files that are there into the manifest."""
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in package.iterdir() if path.name != MANIFEST_FILE}
    edit(package, MANIFEST_FILE, lambda manifest: manifest.update(files=files))


def variant(parent: Path, change: Change, name: str = NAME) -> Path:
    """Return a sound package with another manifest: its self-test expects what the network says under that manifest."""
    package = copy(parent, name)
    edit(package, MANIFEST_FILE, change)
    manifest, _ = read(package)
    network = Network((package / NETWORK_FILE).read_bytes(), manifest, 1)

    def expect(selftest: Json) -> None:
        for case in selftest["cases"]:
            outputs = network.run(preprocess(phantom.chest(case["seed"], SELFTEST_SIDE_PX), manifest.input))
            case["probabilities"] = [float(value) for value in calibrate(outputs.probabilities, manifest.temperature)]

    edit(package, SELFTEST_FILE, expect)
    sign(package)
    return package


def with_point(parent: Path, threshold: float, indeterminate: tuple[float, float] | None = None, draft_margin: float = 0.0) -> Path:
    """Return a sound package with one operating point, `only`."""
    low, high = indeterminate or (threshold, threshold)

    def change(manifest: Json) -> None:
        point = {"name": "only", "threshold": threshold, "indeterminate_from": low, "indeterminate_to": high}
        manifest["operating_points"] = [{**manifest["operating_points"][0], **point}]
        manifest["default_operating_point"] = "only"
        manifest["input"]["draft_margin"] = draft_margin

    return variant(parent, change)


def poison(package: Path) -> None:
    """Write "not a number" over some weights in the middle of the network, and sign: it loads, and answers NaN."""
    data = bytearray((package / NETWORK_FILE).read_bytes())
    middle = len(data) // 8 * 4
    data[middle : middle + 64] = b"\xc0\x7f" * 32  # NaN as 16 bits and as 32
    (package / NETWORK_FILE).write_bytes(data)
    sign(package)
