"""What a retrained model is: its recipe, its champion's made gentler; what its operating points are asked to keep; version and origin."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from core.manifest import Manifest, Origin
from core.settings import Settings
from training import errors, versions
from training.calibrate import Requirements
from training.configuration import Configuration
from training.verdict import RECORD

_KEPT: Final = ("arch", "dropout", "label_smoothing", "weight_decay", "seed", "side_px", "fit_side_px", "augmentation")
_LEARNING_RATE: Final = 1e-4  # a fifth of a first training's: what is known shall move, not go
_EMA: Final = 0.9  # spans ten steps: uploads alone are a few batches


def recipe(manifest: Manifest, settings: Settings, labels: int) -> Configuration:
    """Return how a package is fine-tuned.

    The seed stays, since it tells who is held out of the base data set. Statistics of batch norm stay fixed: those of a batch of uploads
    would not hold. A head that grows learns alone first.

    Raises:
        errors.RunUnusable: the package does not say how it was trained.
    """
    before = manifest.origin.config
    grown = labels > len(manifest.labels)
    table = {name: before[name] for name in _KEPT if name in before} | {
        "weights": "none",
        "statistics": "fixed",
        "head_epochs": 1 if grown else 0,
        "epochs": settings.retrain_epochs,
        "learning_rate": _LEARNING_RATE,
        "ema": _EMA,
    }
    try:
        return msgspec.convert(table, Configuration)
    except msgspec.ValidationError as error:
        raise errors.RunUnusable(
            f"Expected a package with its recipe to retrain from. Received: {manifest.name} {manifest.version}: {error}."
        ) from error


def requirements(manifest: Manifest) -> Requirements:
    """Return what the operating points of a package were asked to keep, which those of its successor are asked, too.

    A person may have asked `pneumonia calibrate` for other than the usual; a package that only was trained says nothing and has the usual.
    """
    config = manifest.origin.config
    asked = config.get("calibration", config.get(RECORD, {})).get("requirements", {})
    return Requirements(**{name: float(asked[name]) for name in Requirements._fields if name in asked})


def origin(learned: Origin, champion: Manifest, sha256: str, made: Mapping[str, Any]) -> Origin:
    """Return where a challenger comes from.

    Args:
        learned: of the training.
        champion: what it goes on from.
        sha256: of that package.
        made: what the job says of itself.
    """
    return msgspec.structs.replace(
        learned,
        config={**learned.config, RECORD: made},
        initial_weights=f"{champion.name} {champion.version}, sha256 {sha256}",
        parent_version=champion.version,
    )


def next_version(known: Sequence[str], champion: str, job_id: str) -> str:
    """Return the version after all that are known: 1.2.3 gives 1.3.0; a champion of another form gets the job's number."""
    following = versions.minor_after([champion]) and versions.minor_after([champion, *known])
    return following or f"{champion[:80]}-retrained-{int(job_id)}"
