"""`pneumonia export`: a finished run, or a package with an evaluation, becomes a package with its card and figures."""

import argparse
from pathlib import Path

from cli import console, packages


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a model package with its card and figures",
        description="Write a package from RUN: the work folder of a finished training run, or a package whose card is to be made anew.",
    )
    parser.add_argument("source", type=Path, metavar="RUN", help="a work folder (runs/<name>), or a package")
    packages.register_target(parser)
    parser.add_argument("--evaluation", type=Path, metavar="FILE", help="report of `pneumonia evaluate --json`: for the card and report/")
    group = parser.add_argument_group("of a work folder")
    group.add_argument("--dataset", type=Path, metavar="DATASET", help="what it was trained on; needed to calibrate and measure")
    group.add_argument("--keep-keras", action="store_true", help="put network.keras into the package, to retrain from")
    group.add_argument("--name", help="of the package (default: the work folder's name)")
    group.add_argument("--package-version", default="0.1.0", metavar="VERSION", help="(default: 0.1.0)")
    group.add_argument("--dataset-name", metavar="TEXT", help="as the card names the data set (default: the folder's name)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export, and say where the card is."""
    console.show_training()
    from training import errors, export, outputs, runs, shelf
    from training.assembly import Release

    source, model = arguments.source, None
    shelf.check_target(arguments.out, arguments.replace)
    if runs.is_package(source):
        parts, others = runs.of_package(source)
        found = outputs.read(arguments.evaluation, parts.manifest) if arguments.evaluation else None
    else:
        if arguments.dataset is None:
            raise errors.InvalidOption("Expected --dataset with the data set that the run was trained on. Received: none.")
        if arguments.evaluation is not None:
            raise errors.InvalidOption("Expected --evaluation with a package: what is evaluated is a package. Received: a work folder.")
        named = arguments.dataset_name or arguments.dataset.resolve().name
        release = Release(arguments.name or source.resolve().name, arguments.package_version, named)
        (parts, model), others, found = runs.of_work(source, arguments.dataset, release), {}, None
    manifest = export.write(parts, arguments.out, model if arguments.keep_keras else None, found, others)
    print(
        f"wrote {arguments.out}: {manifest.name} {manifest.version}, {len(manifest.files)} files; the card is {arguments.out / 'CARD.md'}"
    )
    return 0
