"""`pneumonia export`: a finished run, or a package with an evaluation, becomes a package with its card and figures."""

import argparse
import os
from pathlib import Path

from cli import console, packages, recipe

_PATIENT_PICTURES = (
    "with --evaluation: put the worst mistakes, X-rays of patients from the DATASET that was evaluated, into report/. Whoever gets the "
    "package, or a repository or image that it lies in, then sees them (default: a package holds no picture of a patient)"
)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a model package with its card and figures",
        description="Write a package from RUN: the work folder of a finished training run, or a package whose card is to be made anew.",
    )
    parser.add_argument("source", type=Path, metavar="RUN", help="a work folder (runs/<name>), or a package")
    packages.register_target(parser)
    group = parser.add_argument_group("of a package")
    group.add_argument("--evaluation", type=Path, metavar="FILE", help="report of `pneumonia evaluate --json`: for the card and report/")
    group.add_argument("--history", type=Path, metavar="FILE", help="history.csv of the run that made it, where the package has none")
    group.add_argument("--data", type=Path, metavar="DATASET", help="what it was trained on: put a page about it into report/")
    group.add_argument("--patient-pictures", type=Path, metavar="DATASET", help=_PATIENT_PICTURES)
    group = parser.add_argument_group("of a work folder")
    group.add_argument("--dataset", type=Path, metavar="DATASET", help="what it was trained on; needed to calibrate and measure")
    group.add_argument("--keep-keras", action="store_true", help="put network.keras into the package, to retrain from")
    group.add_argument("--name", help="of the package (default: the work folder's name)")
    group.add_argument("--package-version", default="0.1.0", metavar="VERSION", help="(default: 0.1.0)")
    group.add_argument("--dataset-name", metavar="TEXT", help="as the card names the data set (default: the folder's name)")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Export, and say where the card is."""
    console.show_training()
    from training import data_page, errors, export, outputs, patient_pictures, runs, shelf
    from training.assembly import Release
    from training.fit import HISTORY_FILE

    source, model, shown = arguments.source, None, {}
    shelf.check_target(arguments.out, arguments.replace)
    if arguments.patient_pictures is not None and arguments.evaluation is None:
        raise errors.InvalidOption("Expected --evaluation with --patient-pictures: it says which are the worst. Received: none.")
    if runs.is_package(source):
        parts, others = runs.of_package(source)
        found = outputs.read(arguments.evaluation, parts.manifest) if arguments.evaluation else None
        others |= runs.epochs_of(arguments.history, parts.manifest) if arguments.history else {}
        if arguments.data is not None:
            others = {name: data for name, data in others.items() if not data_page.belongs(name)}
            others |= data_page.of_package(arguments.data, parts.manifest, os.cpu_count() or 1)
        if found is not None and arguments.patient_pictures is not None:
            shown = patient_pictures.draw(found, source, arguments.patient_pictures)
    else:
        if arguments.dataset is None:
            raise errors.InvalidOption("Expected --dataset with the data set that the run was trained on. Received: none.")
        if any(one is not None for one in (arguments.evaluation, arguments.history, arguments.data)):
            raise errors.InvalidOption(
                "Expected --evaluation, --history and --data with a package, which they are of. Received: a work folder."
            )
        named = arguments.dataset_name or arguments.dataset.resolve().name
        release = Release(arguments.name or source.resolve().name, arguments.package_version, named)
        (parts, model), found = runs.of_work(source, arguments.dataset, release), None
        others = runs.epochs_of(source / HISTORY_FILE, parts.manifest) | data_page.of(arguments.dataset, os.cpu_count() or 1)
    manifest = export.write(parts, arguments.out, model if arguments.keep_keras else None, found, others, shown)
    print(
        f"wrote {arguments.out}: {manifest.name} {manifest.version}, {len(manifest.files)} files; the card is {arguments.out / 'CARD.md'}"
    )
    return 0
