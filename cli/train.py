"""`pneumonia train`: from a folder of X-rays to a model package. Needs the training extra."""

import argparse
from pathlib import Path
from typing import Any


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a model on a folder of X-rays and write a model package",
        description="Train on DATASET and write a model package. The same command goes on with an interrupted run.",
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/ and PNEUMONIA/")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the package's folder")
    parser.add_argument("--replace", action="store_true", help="replace a package that is in --out")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="checkpoints and history (default: runs/<name>)")
    parser.add_argument("--keep-keras", action="store_true", help="put network.keras into the package, to retrain from")
    _register_recipe(parser.add_argument_group("recipe"))
    _register_release(parser.add_argument_group("what the package says"))
    parser.set_defaults(run=run)


def _register_recipe(group: "argparse._ArgumentGroup") -> None:
    """Add what becomes the `Configuration`; an option that is not given keeps its default there."""
    options: tuple[tuple[str, type, str], ...] = (
        ("arch", str, "architecture: mobilenetv2 (default), or cnn (small, from scratch)"),
        ("weights", str, "initial weights: imagenet (downloaded; default), none, or the path of a weights file without top"),
        ("head-epochs", int, "passes over the data with a frozen base (default: 1)"),
        ("epochs", int, "passes with all layers (default: 8; about 3 minutes each for 4,000 pictures on two cores)"),
        ("batch-size", int, "pictures a step (default: 32)"),
        ("head-learning-rate", float, "while the base is frozen (default: 0.001)"),
        ("learning-rate", float, "peak, when all layers learn (default: 0.0005)"),
        ("label-smoothing", float, "share of the target spread over all labels, 0 to 1 (default: 0.05)"),
        ("dropout", float, "share of the features dropped, 0 to 1 (default: 0.3)"),
        ("seed", int, "of split, order and augmentation (default: 1)"),
    )
    for name, kind, text in options:
        group.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, metavar=kind.__name__.upper(), help=text)


def _register_release(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--name", help="of the package (default: pneumonia-<arch>)")
    group.add_argument("--package-version", default="0.1.0", metavar="VERSION", help="(default: 0.1.0)")
    group.add_argument("--dataset-name", metavar="TEXT", help="as the card names the data set (default: the folder's name)")
    group.add_argument("--weights-origin", default="", metavar="TEXT", help="where a weights file comes from, for the card")


def run(arguments: argparse.Namespace) -> int:
    """Train, export, and say what came of it."""
    import logging

    import msgspec

    from training import assembly, errors, experiment, export
    from training.configuration import Configuration

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it tells of every temporary folder
    given: dict[str, Any] = {key: value for key, value in vars(arguments).items() if key in Configuration.__struct_fields__}
    try:
        configuration = msgspec.convert(given, Configuration)
    except msgspec.ValidationError as error:
        raise errors.InvalidOption(f"{error}.") from error
    name = arguments.name or f"pneumonia-{configuration.arch}"
    export.check_target(arguments.out, arguments.replace)
    trained = experiment.train(arguments.dataset, configuration, arguments.work or Path("runs") / name)
    release = assembly.Release(
        name, arguments.package_version, arguments.dataset_name or arguments.dataset.resolve().name, arguments.weights_origin
    )
    parts = assembly.assemble(trained, release)
    manifest = export.write(parts, arguments.out, trained.model if arguments.keep_keras else None)
    auroc = manifest.metrics["auroc"]
    print(
        f"wrote {arguments.out}: {name} {manifest.version}, AUROC {auroc['value']} ({auroc['low']} to {auroc['high']}) on held-out patients"
    )
    return 0
