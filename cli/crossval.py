"""`pneumonia crossval`: how well a recipe does on patients it has never seen, over all of a data set. Needs the training extra."""

import argparse
from pathlib import Path

from cli import console, recipe


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "crossval",
        help="cross-validate a recipe by patient",
        description="Train and test on DATASET in folds of whole patients. The same command goes on with an interrupted run.",
    )
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/ and PNEUMONIA/, or a folder for each kind")
    parser.add_argument("--folds", type=int, default=5, metavar="INT", help="(default: 5)")
    parser.add_argument(
        "--teaching",
        action="store_true",
        help="only on the patients whom `train` with the same seed teaches: none of those who choose or are held out there takes part",
    )
    parser.add_argument(
        "--work",
        type=Path,
        metavar="FOLDER",
        help="checkpoints and results (default: runs/crossval-<recipe>, with --teaching runs/teachers-<recipe>)",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    recipe.register_tracking(parser)
    recipe.register_options(parser.add_argument_group("recipe"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Cross-validate, and say what came of it."""
    import msgspec

    console.show_training()
    from training import crossval

    configuration = recipe.configuration(arguments)
    name = f"{'teachers' if arguments.teaching else 'crossval'}-{recipe.called(arguments, configuration)}"
    work = arguments.work or Path("runs") / name
    request = crossval.Request(configuration, arguments.folds, work, name, arguments.teaching)
    summary = crossval.validate(arguments.dataset, request, recipe.journal(arguments))
    if arguments.json:
        print(msgspec.json.encode(summary).decode())
        return 0
    whom = "patients who teach" if summary.teaching else "patients"
    print(f"{summary.arch}: {summary.folds} folds, {summary.pictures} pictures of {summary.patients} {whom}")
    print(f"{'FIGURE':<26}  {'MEAN':>6}  RANGE")
    for figure, spread in summary.figures.items():
        print(f"{figure:<26}  {spread.mean:.4f}  {spread.low:.4f} to {spread.high:.4f}")
    print(f"wrote {work / crossval.RESULT_FOLDER}")
    return 0
