"""A tiny champion, uploads, and a store that holds both: what a retraining needs."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from PIL import Image

from core import models, promotions, uploads
from core.phantom import chest
from core.settings import Settings
from core.store import Store, open_store
from tests.training.conftest import BACTERIAL, VIRAL, draw_dataset
from training import assembly, dataset, experiment, export, networks, pictures, splits, tracking
from training.configuration import Configuration
from training.names import BACTERIAL as BACTERIAL_LABEL
from training.names import NORMAL
from training.names import VIRAL as VIRAL_LABEL

SIDE_PX: Final = 32
OPACITIES: Final = {NORMAL: (), BACTERIAL_LABEL: BACTERIAL, VIRAL_LABEL: VIRAL}


def champion(folder: Path, epochs: int, keep_keras: bool = False) -> Path:
    """Train a tiny network on phantoms and return its package."""
    contract = msgspec.structs.replace(networks.input_contract("cnn"), height_px=SIDE_PX, width_px=SIDE_PX)
    data = draw_dataset(folder / "data", patients=12)
    recipe = Configuration(arch="cnn", weights="none", head_epochs=0, epochs=epochs, batch_size=8, learning_rate=5e-3, ema=0.5, seed=1)
    found = pictures.load(dataset.index(data, progress=False), contract, progress=False)
    split = splits.split(found.dataset, recipe.seed)
    run = tracking.Journal(tracking.NOWHERE).run("champion", folder / "work", {}, {})
    model = experiment.learn(found.take(split["fit"]), found.take(split["tune"]), recipe, contract, folder / "work", run)
    parts = assembly.assemble(experiment.Trained(model, found, split, contract, recipe, run), assembly.Release("tiny", "0.1.0", "phantoms"))
    export.write(parts, folder / "package", model if keep_keras else None)
    return folder / "package"


def picture(label: str, seed: int) -> bytes:
    """Return a phantom of a label as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(chest(seed, 128, OPACITIES.get(label, VIRAL))).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def upload(store: Store, label: str, data: bytes) -> str:
    """Put a picture into the store as `POST /upload-data` does; return its digest."""
    digest, folder = hashlib.sha256(data).hexdigest(), f"uploads/{uploads.slug(label)}"
    store.put(f"{folder}/{digest}.jpeg", data)
    store.put(f"{folder}/{digest}.json", b"{}")
    return digest


def upload_some(store: Store, each: Mapping[str, int], first_seed: int = 1000) -> None:
    """Put so many phantoms of each label into the store."""
    for place, (label, count) in enumerate(each.items()):
        for number in range(count):
            upload(store, label, picture(label, first_seed + 1000 * place + number))


def stocked(folder: Path, package: Path, each: Mapping[str, int]) -> Store:
    """Return a store in which a package is active and pictures wait."""
    store = open_store(folder.as_uri())
    promotions.promote(store, models.push(store, package), promotions.BY_HAND, "to begin with")
    upload_some(store, each)
    return store


def lenient(folder: Path, **changed: object) -> Settings:
    """Return settings under which everything that can be compared is promoted."""
    usual = Settings(
        store=folder.as_uri(),
        gate_auroc_margin=1.0,
        gate_sensitivity_margin=1.0,
        gate_specificity_margin=1.0,
        gate_guard=False,
        gate_min_pictures=1,
        retrain_epochs=2,
    )
    return msgspec.structs.replace(usual, **changed)
