"""What a retrained model must show before it serves: not worse than the active one, beyond a margin, on the same held-out patients."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from core.settings import Settings
from training.evaluate import Examined


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One model on the held-out pictures; sensitivity and specificity are those of its own default operating point."""

    version: str
    auroc: float
    sensitivity: float
    specificity: float
    guarded: bool = False


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both models on the same pictures."""

    champion: Standing
    challenger: Standing
    pictures: int


def standing(examined: Examined) -> Standing:
    """Return what an evaluation on pictures of both classes says of a model."""
    measured = examined.evaluation.metrics
    values = (measured.auroc.value, measured.sensitivity.value, measured.specificity.value)
    auroc, sensitivity, specificity = (0.0 if value is None else value for value in values)
    looked = examined.evaluation.guard
    guarded = looked is not None and looked.unchecked < looked.pictures
    version = examined.evaluation.model.version
    return Standing(version=version, auroc=auroc, sensitivity=sensitivity, specificity=specificity, guarded=guarded)


def shortages(labels: npt.NDArray[np.int64], split: dict[str, tuple[int, ...]], settings: Settings) -> list[str]:
    """Return what the pictures are too few for, before any time is spent on them.

    Args:
        labels: int64 array (N,), 0 is normal.
        split: the positions of each part.
        settings: how many are wanted.
    """
    reasons = []
    for part, least, purpose in (("fit", 1, "learn from"), ("tune", 1, "calibrate on"), ("test", settings.gate_min_pictures, "compare on")):
        ill = labels[list(split[part])] > 0
        for name, count in (("normal", int(np.sum(~ill))), ("pneumonia", int(np.sum(ill)))):
            if count < least:
                reasons.append(f"Expected at least {least} {name} pictures to {purpose}. Received: {count}.")
    return reasons


def objections(comparison: Comparison, settings: Settings) -> list[str]:
    """Return why the challenger must not take the champion's place; nothing where it may."""
    champion, challenger = comparison.champion, comparison.challenger
    measures: Sequence[tuple[str, float, float, float]] = (
        ("AUROC", champion.auroc, challenger.auroc, settings.gate_auroc_margin),
        ("sensitivity", champion.sensitivity, challenger.sensitivity, settings.gate_sensitivity_margin),
        # A model that calls every picture pneumonia misses none: its sensitivity alone would let it pass.
        ("specificity", champion.specificity, challenger.specificity, settings.gate_specificity_margin),
    )
    reasons = [
        f"Expected {name} of at least {before:.4f} - {margin} on {comparison.pictures} held-out pictures, {champion.version} having "
        f"{before:.4f}. Received: {after:.4f}."
        for name, before, after, margin in measures
        if after < before - margin - 1e-9
    ]
    if settings.gate_guard and champion.guarded and not challenger.guarded:
        reasons.append(
            f"Expected a guard, since {champion.version} has one. Received: none, there being too few pictures to place its thresholds."
        )
    return reasons
