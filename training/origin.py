"""Where a model comes from: the manifest's `origin`, enough to train it again and to answer for it."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import keras
import msgspec

from core.manifest import Origin, read
from training import architectures, libraries, soft, wording
from training.configuration import Configuration
from training.pictures import Pictures
from training.splits import Split

_LIBRARIES: Final = ("keras", "tensorflow", "ai-edge-litert", "numpy", "pillow", "scikit-learn")


RUN: Final = "mlflow_run"
"""In a manifest's `origin.config`, of a retraining in what it records there: the run in MLflow."""


def describe(pictures: Pictures, split: Split, configuration: Configuration, dataset_name: str, weights_origin: str) -> Origin:
    """Return the origin of a model trained just now.

    Args:
        pictures: what was read of the data set.
        split: its parts.
        configuration: the recipe.
        dataset_name: as the card shall name it.
        weights_origin: a sentence on where a weights file comes from, or "".
    """
    counts: dict[str, int] = {"unreadable": len(pictures.unreadable)}
    for part, positions in split.items():
        counts[f"{part}_pictures"] = len(positions)
        counts[f"{part}_patients"] = len(set(pictures.groups[list(positions)]))
    return Origin(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        commit=commit(),
        dataset=dataset_name,
        dataset_sha256=pictures.dataset.sha256,
        split=counts,
        config=recipe(configuration),
        libraries=versions(),
        initial_weights=initial_weights(configuration.weights, weights_origin),
    )


def recipe(configuration: Configuration) -> dict[str, Any]:
    """Return the recipe as an open record. A path is recorded as a file name, of soft targets with the digest: where it lay says nothing.

    Raises:
        errors.InvalidPredictions: the file of `soft_targets` cannot be read.
    """
    weights = configuration.weights if configuration.weights in ("none", "imagenet") else Path(configuration.weights).name
    return {**msgspec.to_builtins(configuration), "weights": weights, "soft_targets": soft.named(configuration.soft_targets)}


def link(run_id: str | None) -> dict[str, str]:
    """Return what a manifest says of MLflow's run that made its package; nothing where nothing was recorded."""
    return {RUN: run_id} if run_id else {}


def initial_weights(weights: str, weights_origin: str = "") -> str:
    """Name the initial weights: "none", "imagenet (…)", a package with what it came from, or a file with its digest and what is said of it.

    Raises:
        errors.InitialWeightsUnusable: the file is not there.
    """
    if package := architectures.package_folder(weights):
        manifest, data = read(package)
        digest = hashlib.sha256(data).hexdigest()
        return f"{manifest.name} {manifest.version}, sha256 {digest}, {wording.BEGAN} {manifest.origin.initial_weights}"
    file = architectures.weights_file(weights)
    if file is None:
        return "imagenet (keras.applications)" if weights == "imagenet" else "none"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"{file.name}, sha256 {digest}" + (f"; {weights_origin}" if weights_origin else "")


def versions() -> dict[str, str]:
    """Return the versions of what decides the result, Python and the Keras backend among them."""
    versions = {name: libraries.version(name) for name in (*_LIBRARIES, keras.backend.backend())}
    return {"python": platform.python_version(), "keras_backend": keras.backend.backend(), **versions}


def learned_on(exported: Mapping[str, str], backends: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of what made a network, of which only the backend that learned may be another than the one that exports.

    Args:
        exported: of `versions`, where the package is made.
        backends: the version of each, in the order in which a run went on with them; none where nobody noted it.
    """
    return {**exported, **({"keras_backend": " then ".join(backends)} if backends else {}), **backends}


def commit() -> str:
    """Return the commit of this code, with "+changes" where the working tree differs, or "unknown" outside of a repository."""
    folder = Path(__file__).parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", ".", "../core")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+changes" if changed else head


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
