"""Writes a model package: all files into a folder beside the target, the manifest last, then one rename."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import keras
import msgspec

from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE, Manifest
from training import card, errors, report
from training.assembly import Parts
from training.findings import Findings

CARD_FILE: Final = "CARD.md"
KERAS_FILE: Final = "network.keras"
REPORT_FOLDER: Final = "report"


def check_target(folder: Path, replace: bool) -> None:
    """Refuse a target that holds something, before hours of training; a package may be replaced where that is asked for.

    Raises:
        errors.PackageExists: the folder holds a package and `replace` is not set, or holds something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST_FILE).is_file():
        raise errors.PackageExists(f"Expected a new or empty folder for the package. Received: {folder}, which holds something else.")
    if not replace:
        raise errors.PackageExists(f"Expected a new or empty folder; give --replace to replace the package in it. Received: {folder}.")


def write(
    parts: Parts,
    folder: Path,
    model: keras.Model | None = None,
    findings: Findings | None = None,
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> Manifest:
    """Write a package so that `folder` holds all of it or what it held before.

    Args:
        parts: what `assembly.assemble` gave.
        folder: the package's folder; what is there is replaced.
        model: saved along as `network.keras`, to retrain from; None leaves it out.
        findings: of an evaluation: the card tells them and `report/` draws them.
        others: files that go along as they are, by their path in the package.

    Returns:
        The manifest as written, with the digest of every other file.
    """
    folder = folder.absolute()
    new, old = folder.with_name(f".new-{folder.name}"), folder.with_name(f".old-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        manifest = _fill(new, parts, model, findings, others)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return manifest


def _fill(folder: Path, parts: Parts, model: keras.Model | None, findings: Findings | None, others: Mapping[str, bytes]) -> Manifest:
    figures = {} if findings is None else {f"{REPORT_FOLDER}/{name}": data for name, data in report.draw(findings).items()}
    for name, data in {**others, **figures}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / NETWORK_FILE).write_bytes(parts.flatbuffer)
    (folder / SELFTEST_FILE).write_bytes(_pretty(parts.selftest))
    (folder / CARD_FILE).write_text(card.write(parts.manifest, findings, sorted(figures)), encoding="utf-8")
    if model is not None:
        model.save(folder / KERAS_FILE)
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    manifest = msgspec.structs.replace(parts.manifest, files=digests)
    (folder / MANIFEST_FILE).write_bytes(_pretty(manifest))
    return manifest


def _pretty(value: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
