"""`pneumonia evaluate`: what a model package is worth on a folder of labelled X-rays. Needs the training extra, and no TensorFlow."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli import packages, recipe, resuming

if TYPE_CHECKING:
    from core.classifier import Classifier
    from training.evaluate import Examined
    from training.kept import Kept

STANDARD_OUTPUT = "-"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model package on a folder of labelled X-rays",
        description="Measure PACKAGE on DATASET through the serving path. Fields of the report: docs/evaluation.md.",
        epilog="Files that cannot be read are listed with the reason and left out. Exit status: 0 measured, 2 nothing could be measured.",
    )
    packages.register_source(parser)
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/ and PNEUMONIA/, or a folder for each kind")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output, which then holds nothing else")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page; it shows the worst mistakes as pictures")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each picture")
    parser.add_argument("--operating-point", metavar="NAME", help="the point that decides (default: the package's)")
    parser.add_argument(
        "--held-out", action="store_true", help="DATASET is what the package was trained on: only the patients that training held out"
    )
    parser.add_argument(
        "--corruptions",
        choices=("none", "quick", "all"),
        default="quick",
        help="also measure under corruption: quick is each kind at a moderate degree (default), all adds a strong one",
    )
    parser.add_argument(
        "--outliers",
        type=Path,
        metavar="FOLDER",
        help="also count what the guard says of other pictures; FOLDER holds them",
    )
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, write what was asked for, and say the main figures on the terminal."""
    from training import outputs, reports

    json_file = None if arguments.json in (None, STANDARD_OUTPUT) else Path(arguments.json)
    for target in filter(None, (json_file, arguments.html, arguments.csv)):
        reports.check(target)
    classifier, threads = packages.load(arguments.package)
    asked = {
        "operating_point": classifier.operating_point(arguments.operating_point).name,
        "corruptions": arguments.corruptions,
        "held_out": str(arguments.held_out),
    }
    folders = [arguments.dataset, *([arguments.outliers] if arguments.outliers else [])]
    with resuming.kept("evaluate", folders, {"package": classifier.identity.sha256, **asked}) as kept:
        examined = _examine(arguments, classifier, threads, kept)
        if json_file:
            reports.write(json_file, outputs.json(examined))
        if arguments.csv:
            reports.write(arguments.csv, outputs.csv(examined))
        if arguments.html:
            from training import evaluation_page  # Matplotlib

            reports.write(arguments.html, evaluation_page.render(examined).encode())
    arguments.record = outputs.json(examined)
    if arguments.json == STANDARD_OUTPUT:
        sys.stdout.write(outputs.json(examined).decode())
    else:
        _say(examined)
    return 0


def _examine(arguments: argparse.Namespace, classifier: "Classifier", threads: int, kept: "Kept") -> "Examined":
    from training import evaluate

    examined = evaluate.evaluate(
        classifier,
        arguments.dataset,
        arguments.operating_point,
        arguments.corruptions,
        threads,
        arguments.held_out,
        outliers=arguments.outliers,
        kept=kept,
    )
    packages.tell(examined.unread)
    return examined


def _say(examined: "Examined") -> None:
    for sentence in examined.evaluation.sentences["summary"]:
        print(sentence)
