"""`pneumonia export`: a finished run, or a package with an evaluation, becomes a package with its card and figures."""

import argparse
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cli import console, packages, recipe, resuming

if TYPE_CHECKING:
    from training.assembly import Parts
    from training.evaluation import Evaluation
    from training.patient_pictures import PatientPicture

_PATIENT_PICTURES = (
    "with --evaluation: put the worst mistakes, X-rays of patients from the DATASET that was evaluated, into report/. Whoever gets the "
    "package, or a repository or image that it lies in, then sees them (default: a package holds no picture of a patient)"
)

_OF_CHILDREN = "whether it learned from children: a DICOM file of an adult then gets a warning (default: as the package or the run says)"
_CAVEAT = "a sentence that card, /model and page add to what the model cannot do, such as what is known of it elsewhere; may be repeated"


class _Content(NamedTuple):
    """What goes into the package: its parts, perhaps the Keras model and an evaluation, other files, and pictures of patients."""

    parts: "Parts"
    model: Any
    evaluation: "Evaluation | None"
    others: dict[str, bytes]
    shown: "Mapping[str, PatientPicture]"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a model package with its card and figures",
        description="Write a package from RUN: the work folder of a finished training run, or a package whose card is to be made anew.",
    )
    parser.add_argument("source", type=Path, metavar="RUN", help="a work folder (runs/<name>), or a package")
    packages.register_target(parser)
    parser.add_argument("--of-children", action=argparse.BooleanOptionalAction, help=_OF_CHILDREN)
    parser.add_argument("--caveat", action="append", default=[], metavar="TEXT", help=_CAVEAT)
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
    from core.manifest import is_package
    from training import claims, errors, export, runs, shelf

    shelf.check_target(arguments.out, arguments.replace)
    if arguments.patient_pictures is not None and arguments.evaluation is None:
        raise errors.InvalidOption("Expected --evaluation with --patient-pictures: it says which are the worst. Received: none.")
    if not all(caveat.strip() for caveat in arguments.caveat):
        raise errors.InvalidOption("Expected a sentence with --caveat. Received: none.")
    with ExitStack() as stack:
        content = _of_package(arguments, stack) if is_package(arguments.source) else _of_work(arguments, stack)
        parts = runs.with_caveats(content.parts, arguments.caveat)
        if arguments.of_children is not None:
            parts = parts._replace(manifest=claims.of_patients(parts.manifest, of_children=arguments.of_children))
        manifest = export.write(parts, arguments.out, content.model, content.evaluation, content.others, content.shown)
    print(
        f"wrote {arguments.out}: {manifest.name} {manifest.version}, {len(manifest.files)} files; the card is {arguments.out / 'CARD.md'}"
    )
    return 0


def _of_package(arguments: argparse.Namespace, stack: ExitStack) -> _Content:
    from training import data_page, outputs, patient_pictures, runs

    parts, others = runs.of_package(arguments.source)
    found = outputs.read(arguments.evaluation, parts.manifest) if arguments.evaluation else None
    others |= runs.epochs_of(arguments.history, parts.manifest) if arguments.history else {}
    if arguments.data is not None:
        looks = stack.enter_context(resuming.kept("explore", [arguments.data]))
        others = {name: data for name, data in others.items() if not data_page.belongs(name)}
        others |= data_page.of_package(arguments.data, parts.manifest, os.cpu_count() or 1, looks)
    worst = arguments.patient_pictures
    shown = patient_pictures.draw(found, arguments.source, worst) if found is not None and worst is not None else {}
    return _Content(parts, None, found, others, shown)


def _of_work(arguments: argparse.Namespace, stack: ExitStack) -> _Content:
    from training import data_page, errors, runs
    from training.assembly import Release
    from training.runstate import HISTORY_FILE

    work, dataset = arguments.source, arguments.dataset
    if dataset is None:
        raise errors.InvalidOption("Expected --dataset with the data set that the run was trained on. Received: none.")
    if any(one is not None for one in (arguments.evaluation, arguments.history, arguments.data)):
        raise errors.InvalidOption(
            "Expected --evaluation, --history and --data with a package, which they are of. Received: a work folder."
        )
    release = Release(arguments.name or work.resolve().name, arguments.package_version, arguments.dataset_name or dataset.resolve().name)
    kept, looks = (stack.enter_context(one) for one in (resuming.told(runs.packaging(work)), resuming.kept("explore", [dataset])))
    parts, model = runs.of_work(work, dataset, release, kept)
    others = runs.epochs_of(work / HISTORY_FILE, parts.manifest) | data_page.of(dataset, os.cpu_count() or 1, looks)
    return _Content(parts, model if arguments.keep_keras else None, None, others, {})
