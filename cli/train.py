"""`pneumonia train`: from a folder of X-rays to a model package. Needs the training extra."""

import argparse
import os
from pathlib import Path

from cli import console, packages, recipe, resuming


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a model on a folder of X-rays and write a model package",
        description="Train on DATASET and write a model package. The same command goes on with an interrupted run.",
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/ and PNEUMONIA/, or a folder for each kind")
    packages.register_target(parser)
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="checkpoints and history (default: runs/<recipe>: its file, or its architecture)"
    )
    parser.add_argument("--keep-keras", action="store_true", help="put network.keras into the package, to retrain from")
    recipe.register_tracking(parser)
    recipe.register_options(parser.add_argument_group("recipe"))
    _register_release(parser.add_argument_group("what the package says"))
    parser.set_defaults(run=run)


def _register_release(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--name", help="of the package (default: pneumonia-<arch>)")
    group.add_argument("--package-version", metavar="VERSION", help="(default: 0.1.0, or the next after the package that it goes on from)")
    group.add_argument("--dataset-name", metavar="TEXT", help="as the card names the data set (default: the folder's name)")
    packages.register_children(group)
    group.add_argument("--weights-origin", default="", metavar="TEXT", help="where a weights file comes from, for the card")


def run(arguments: argparse.Namespace) -> int:
    """Train, export, and say what came of it."""
    console.show_training()
    from training import assembly, convert, data_page, disk, experiment, export, restart, runs, shelf
    from training.runstate import HISTORY_FILE

    configuration = recipe.configuration(arguments)
    name = arguments.name or f"pneumonia-{configuration.arch}"
    shelf.check_target(arguments.out, arguments.replace)
    convert.foretell()
    work = arguments.work or Path("runs") / recipe.called(arguments, configuration)
    of_children = arguments.of_children or restart.of_children(configuration.weights)
    trained = experiment.train(arguments.dataset, configuration, work, name, recipe.journal(arguments))
    release = assembly.Release(
        name,
        arguments.package_version or restart.version(configuration.weights),
        arguments.dataset_name or arguments.dataset.resolve().name,
        arguments.weights_origin,
        of_children,
    )
    if of_children:
        runs.note_children(work)
    with (
        trained.run.going(),
        disk.writing(arguments.out),
        resuming.told(runs.packaging(work)) as found,
        resuming.kept("explore", [arguments.dataset]) as looks,
    ):
        parts = runs.assembled(trained, release, work, found)
        others = runs.epochs_of(work / HISTORY_FILE, parts.manifest) | data_page.of(arguments.dataset, os.cpu_count() or 1, looks)
        manifest = export.write(parts, arguments.out, trained.model if arguments.keep_keras else None, others=others)
    experiment.record_package(trained.run, manifest, arguments.out)
    print(f"wrote {arguments.out}: {name} {manifest.version}")
    packages.tell_worth(manifest)
    return 0
