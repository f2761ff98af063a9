"""`pneumonia package`: a Keras model trained elsewhere becomes a model package. Needs the training extra."""

import argparse
from pathlib import Path

from cli import console, packages, recipe, resuming


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "package",
        help="bring a Keras model that was trained elsewhere into a model package",
        description="Turn MODEL into a model package: convert it, prove the answers equal, and calibrate it where --dataset is given.",
        epilog="What the network itself does not tell is asked for, never guessed. See docs/model-package.md.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .keras or .h5 file, or the folder of a SavedModel")
    packages.register_target(parser)
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="FOLDER",
        help="holds NORMAL/ and PNEUMONIA/ or a folder for each kind, whatever the files are called: calibrate and measure on it",
    )
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="prove the answers equal on these (default: data set, or phantoms)")
    _register_meaning(parser.add_argument_group("what goes in and comes out"))
    group = parser.add_argument_group("what the package says")
    group.add_argument("--name", help="of the package (default: the model's file name)")
    group.add_argument("--package-version", default="0.1.0", metavar="VERSION", help="(default: 0.1.0)")
    group.add_argument("--trained-on", default="", metavar="TEXT", help="what it was trained on, for the card")
    group.add_argument("--weights-origin", default="", metavar="TEXT", help="where the file comes from, for the card")
    packages.register_children(group)
    group.add_argument("--intended-use", metavar="TEXT", help="what it is for, for the card")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def _register_meaning(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--labels", metavar="A,B[,…]", help="in the order of the outputs; one sigmoid: what 0 means, then what 1 means")
    group.add_argument("--negative", metavar="LABEL", help="the label that is no pneumonia (default: normal)")
    group.add_argument(
        "--values",
        choices=("unit", "signed", "bytes", "caffe", "torch"),
        help="0 to 1; -1 to 1; 0 to 255; keras.applications' modes (default: as its first layers, or pictures of --dataset, show)",
    )
    group.add_argument("--size", metavar="HxW", help="height and width in pixels, where the network leaves them open")
    group.add_argument("--resample", metavar="KIND", help="box, bilinear (default), hamming, bicubic or lanczos")


def run(arguments: argparse.Namespace) -> int:
    """Bring the model, write the package, and say how each thing in it is known."""
    import os
    import re
    from functools import partial

    from training import errors

    if not arguments.model.exists():
        expected = "a .keras or .h5 file, or a folder with saved_model.pb"
        raise errors.UnreadableModel(f"Expected {expected}. Received: {arguments.model}, which is not there.")
    console.show_training()
    from training import export, foreign, shelf
    from training.assembly import Release
    from training.declarations import Declared

    shelf.check_target(arguments.out, arguments.replace)
    name = arguments.name or re.sub(r"[^A-Za-z0-9._-]+", "-", arguments.model.resolve().stem).strip("-._") or "model"
    declared = Declared(**{field: getattr(arguments, field) for field in Declared.__struct_fields__})
    release = Release(name, arguments.package_version, arguments.trained_on, arguments.weights_origin, arguments.of_children)
    going_on = partial(resuming.kept, "package", [arguments.dataset] if arguments.dataset else [])
    brought = foreign.bring(arguments.model, declared, release, os.cpu_count() or 1, going_on)
    manifest = export.write(brought.parts, arguments.out)
    for what, how in brought.found.items():
        print(f"{what}: {how}")
    point = manifest.operating_points[0]
    state = "" if point.sensitivity else "; not calibrated and not measured: give --dataset with labelled pictures"
    print(f"wrote {arguments.out}: {name} {manifest.version}, operating point {manifest.default_operating_point}{state}")
    if point.sensitivity:
        packages.tell_worth(manifest)
    return 0
