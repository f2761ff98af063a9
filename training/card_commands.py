"""The commands that stand above the tables of a card: what gives these figures again. Called by `training.card`."""

import shlex
from collections.abc import Mapping
from typing import Final

from core.manifest import Manifest
from training import claims, wording
from training.calibrate import REQUIREMENTS

_PARENT: Final = "PARENT"
_START: Final = "START"
_PREDICTIONS: Final = "PREDICTIONS"
HELD_OUT: Final = "held_out_sha256"
"""What the record of a calibration calls the digest of the pictures that measured it, where they are others than chose."""


def recalibrated(manifest: Manifest) -> bool:
    """Whether temperature and operating points are those that `pneumonia calibrate` gave to a package that was there before.

    `pneumonia package` has a record of its calibration, too, and `guard` hands it on; only `calibrate` notes when that was.
    """
    return manifest.origin.parent_version is not None and "at" in manifest.origin.config.get("calibration", {})


def held_out(manifest: Manifest) -> bool:
    """Whether `pneumonia calibrate` measured what it gave on the patients whom the training held out."""
    return recalibrated(manifest) and HELD_OUT in manifest.origin.config["calibration"]


def others(manifest: Manifest) -> dict[str, str]:
    """Return what else these commands name, in words, by the word that stands for its place."""
    found, began = {}, manifest.origin.initial_weights
    if recalibrated(manifest):
        found[_PARENT] = f"the package {manifest.name} {manifest.origin.parent_version}"
        if digest := manifest.origin.config["calibration"].get("predictions_sha256"):
            found[_PREDICTIONS] = f"a table of predictions as `pneumonia crossval` leaves it (sha256 `{digest}`)"
    if wording.BEGAN in began:
        found[_START] = f"the package {began.partition(', ')[0]}"
    return found


def of_figures(manifest: Manifest) -> str:
    """Return the command that gives the operating points and the figures that the manifest holds."""
    if not recalibrated(manifest):
        return of_network(manifest)
    calibration = manifest.origin.config["calibration"]
    source = _PREDICTIONS if "predictions_sha256" in calibration else "DATASET"
    usual = REQUIREMENTS._asdict()
    required = {key: value for key, value in calibration.get("requirements", {}).items() if usual.get(key) != value}
    measured = ["--measure-on", "DATASET"] if held_out(manifest) else []
    return _shown(["pneumonia", "calibrate", _PARENT, source, *measured], required)


def of_network(manifest: Manifest) -> str:
    """Return the command that makes the network again."""
    config = manifest.origin.config
    children = ["--of-children"] if claims.told_by_a_person(manifest) else []
    if "retraining" in config:
        return shlex.join(["pneumonia", "retrain", "--job", str(config["retraining"]["job"])])
    if "brought_from" in config:
        dataset, began, use = manifest.origin.dataset, manifest.origin.initial_weights, manifest.intended_use
        options = {
            "name": manifest.name,
            **({} if dataset == claims.UNKNOWN_DATA else {"trained-on": dataset}),
            **({} if began.startswith(claims.UNKNOWN_WEIGHTS) else {"weights-origin": began}),
            **({} if use in (claims.USE_OF_ANY, claims.USE_FOR_CHILDREN) else {"intended-use": use}),
            "size": f"{manifest.input.height_px}x{manifest.input.width_px}",
            "labels": ",".join(f"{label.name}={label.code}" for label in manifest.labels),
            "negative": manifest.negative,
            "values": str(config.get("known_by", {}).get("values", "")).partition(" ")[0],
            "resample": manifest.input.resample,
        }
        labelled = "calibration" in config and not recalibrated(manifest)
        given = ["--dataset", "DATASET"] if labelled else []
        return _shown(["pneumonia", "package", str(config["brought_from"]), *given, *children], options)
    weights = _START if _START in others(manifest) else str(config.get("weights", ""))
    named = {"weights": weights} if weights not in ("", "none", "imagenet") else {}  # the file lies elsewhere for everybody
    return _shown(["pneumonia", "train", "DATASET", "--config", "PACKAGE/manifest.json", *children], named, "NEW")


def _shown(start: list[str], options: Mapping[str, object], out: str = "PACKAGE") -> str:
    named = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    return shlex.join([*start, *named, "--out", out])
