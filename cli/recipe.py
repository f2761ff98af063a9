"""Options that commands of the lab share: the recipe of those that train, and where each is recorded."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.configuration import Configuration
    from training.tracking import Journal

_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("arch", str, "architecture: dense (baseline), cnn (small, from scratch), mobilenetv2 (default), vgg16"),
    ("weights", str, "initial weights: imagenet (downloaded; default), none, a weights file without top, or a package to go on from"),
    ("head-epochs", int, "passes over the data with a frozen base (default: 1; 0 with --weights none)"),
    ("epochs", int, "passes with all layers (default: 8; about 3 minutes each for 4,000 pictures on two cores)"),
    ("batch-size", int, "pictures a step (default: 32)"),
    ("head-learning-rate", float, "while the base is frozen (default: 0.001)"),
    ("learning-rate", float, "peak, when all layers learn (default: 0.0005)"),
    ("start-share", float, "how much of the package to go on from is in what is kept, the mean of both networks' weights (default: 0)"),
    ("label-smoothing", float, "share of the target spread over all labels, 0 to 1 (default: 0.05)"),
    ("soft-targets", str, "predictions of `crossval --teaching` that are taught beside the labels (default: none)"),
    ("soft-share", float, "how much of the target is theirs, 0 to 1 (default: 0.5)"),
    ("soft-labels", str, "which labels they may move: all, or kinds, never between normal and pneumonia (default: all)"),
    ("dropout", float, "share of the features dropped, 0 to 1 (default: 0.3)"),
    ("seed", int, "of split, order and augmentation (default: 1)"),
)
_CONFIG = (
    "a TOML file with the recipe (training/configs has one an architecture), or the manifest.json of a package: by what it was trained"
)
_FOLDER = Path("runs/mlflow")


def register_options(group: "argparse._ArgumentGroup") -> None:
    """Add what becomes the `Configuration`; an option that is not given keeps the file's value, or the default there."""
    group.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG)
    for name, kind, text in _OPTIONS:
        group.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, metavar=kind.__name__.upper(), help=text)


def register_tracking(parser: argparse.ArgumentParser) -> None:
    """Add where experiments are recorded."""
    parser.add_argument(
        "--tracking",
        metavar="WHERE",
        help="record in MLflow: a folder (SQLite and files), an address, or none (default: MLFLOW_TRACKING_URI, else runs/mlflow)",
    )


def configuration(arguments: argparse.Namespace) -> "Configuration":
    """Return the recipe that the command asks for: the file's, with the options over it.

    Raises:
        errors.InvalidConfiguration, errors.InvalidOption: a sentence on what is wrong.
    """
    from training.configuration import Configuration, read

    return read(arguments.config, {key: value for key, value in vars(arguments).items() if key in Configuration.__struct_fields__})


def called(arguments: argparse.Namespace, configuration: "Configuration") -> str:
    """Return what a recipe is called: as its TOML file, or else as its architecture. Runs of two recipes get folders of their own by it."""
    file: Path | None = arguments.config
    return file.stem if file is not None and file.suffix == ".toml" else configuration.arch


def journal(arguments: argparse.Namespace) -> "Journal":
    """Return the connection to MLflow."""
    from training.tracking import Journal

    return Journal(arguments.tracking or os.environ.get("MLFLOW_TRACKING_URI") or str(_FOLDER))
