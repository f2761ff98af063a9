"""Writes a model package from what a training run gave, through `training.shelf`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import keras

from core.manifest import NETWORK_FILE, SELFTEST_FILE, Manifest
from training import card, report, shelf
from training.assembly import Parts
from training.evaluation import Evaluation

KERAS_FILE: Final = "network.keras"


def write(
    parts: Parts,
    folder: Path,
    model: keras.Model | None = None,
    evaluation: Evaluation | None = None,
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> Manifest:
    """Write a package so that `folder` holds all of it or what it held before.

    Args:
        parts: what `assembly.assemble` gave.
        folder: the package's folder; what is there is replaced.
        model: saved along as `network.keras`, to retrain from; None leaves it out.
        evaluation: of the package: the card tells it and `report/` draws them.
        others: files that go along as they are, by their path in the package.

    Returns:
        The manifest as written, with the digest of every other file.
    """
    with shelf.replacing(folder) as new:
        return _fill(new, parts, model, evaluation, others)


def _fill(folder: Path, parts: Parts, model: keras.Model | None, evaluation: Evaluation | None, others: Mapping[str, bytes]) -> Manifest:
    figures = {} if evaluation is None else {f"{shelf.REPORT_FOLDER}/{name}": data for name, data in report.draw(evaluation).items()}
    for name, data in {**others, **figures}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / NETWORK_FILE).write_bytes(parts.flatbuffer)
    (folder / SELFTEST_FILE).write_bytes(shelf.readable(parts.selftest))
    (folder / shelf.CARD_FILE).write_text(card.write(parts.manifest, evaluation, sorted(figures)), encoding="utf-8")
    if model is not None:
        model.save(folder / KERAS_FILE)
    return shelf.sign(folder, parts.manifest)
