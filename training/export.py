"""Writes a model package from what a training run gave, through `training.shelf`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import keras

from core.manifest import GUARD_FILE, NETWORK_FILE, SELFTEST_FILE, Manifest
from training import card, history, report, shelf
from training.assembly import Parts
from training.evaluation import Evaluation
from training.patient_pictures import PatientPicture
from training.runstate import HISTORY_FILE


def write(
    parts: Parts,
    folder: Path,
    model: keras.Model | None = None,
    evaluation: Evaluation | None = None,
    others: Mapping[str, bytes] = MappingProxyType({}),
    patient_pictures: Mapping[str, PatientPicture] = MappingProxyType({}),
) -> Manifest:
    """Write a package so that `folder` holds all of it or what it held before.

    Args:
        parts: what `assembly.assemble` gave.
        folder: the package's folder; what is there is replaced.
        model: saved along as `network.keras`, to retrain from; None leaves it out.
        evaluation: of the package: the card tells it and `report/` draws it.
        others: files that go along as they are, by their path in the package; a `history.csv` among them is drawn, too.
        patient_pictures: X-rays of patients for `report/`, by their path in the package; none unless somebody asked for them.

    Returns:
        The manifest as written, with the digest of every other file.

    Raises:
        errors.DiskFull, errors.CannotWrite: see `shelf.replacing`.
    """
    with shelf.replacing(folder) as new:
        _describe(new, parts.manifest, evaluation, others, patient_pictures)
        (new / NETWORK_FILE).write_bytes(parts.flatbuffer)
        (new / SELFTEST_FILE).write_bytes(shelf.readable(parts.selftest))
        if parts.guard is not None:
            (new / GUARD_FILE).write_bytes(parts.guard)
        if model is not None:
            model.save(new / shelf.KERAS_FILE)
        return shelf.sign(new, parts.manifest)


def _describe(
    folder: Path,
    manifest: Manifest,
    evaluation: Evaluation | None,
    others: Mapping[str, bytes],
    patient_pictures: Mapping[str, PatientPicture],
) -> None:
    """Write the card, the report, and the files that go along."""
    run = history.read(others[HISTORY_FILE]) if HISTORY_FILE in others else None
    drawings = report.draw(evaluation, run, int(manifest.origin.config.get("head_epochs", 0)))
    pictures = {path: picture.png for path, picture in patient_pictures.items()}
    drawn = {f"{shelf.REPORT_FOLDER}/{name}.svg": drawing.svg for name, drawing in drawings.items()}
    for name, data in {**others, **drawn, **pictures}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    shows = {path: picture.alt for path, picture in patient_pictures.items()}
    text = card.write(manifest, evaluation, {name: drawing.alt for name, drawing in drawings.items()}, shows)
    (folder / shelf.CARD_FILE).write_text(text, encoding="utf-8")
