"""`pneumonia calibrate`: gives a model package another temperature and other operating points. Needs the training extra, no TensorFlow."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import packages, recipe, resuming
from core.quiet import quiet_native_code

if TYPE_CHECKING:
    from core.classifier import Classifier
    from training.kept import Kept
    from training.predictions import Predictions


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "calibrate",
        help="give a model package temperature and operating points from labelled pictures",
        description="Choose temperature and the operating points screening, balanced and rule_in under simulated shift, and write PACKAGE "
        "with them as a new package. The network stays the same.",
        epilog="Choosing on the data set that the network learned from is refused: it knows it by heart. Of a model that was trained "
        "elsewhere nobody can tell.",
    )
    packages.register_source(parser)
    parser.add_argument(
        "source",
        type=Path,
        metavar="PREDICTIONS|DATASET",
        help="a CSV file with out-of-fold predictions (docs/evaluation.md), or a folder that holds NORMAL/ and PNEUMONIA/ or each kind",
    )
    packages.register_target(parser, "the new package's folder")
    parser.add_argument(
        "--measure-on",
        type=Path,
        metavar="DATASET",
        help="with PREDICTIONS: what PACKAGE was trained on; measure on the patients whom training held out (default: across the folds of "
        "PREDICTIONS, which other networks may have given)",
    )
    parser.add_argument("--package-version", metavar="VERSION", help="(default: the next after the package's)")
    for name, default in (("screening-sensitivity", 0.99), ("balanced-sensitivity", 0.97), ("rule-in-specificity", 0.99)):
        parser.add_argument(f"--{name}", type=float, default=default, metavar="SHARE", help=f"to keep under shift (default: {default})")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Choose, measure, write, and say what came of it."""
    from core import package
    from training import recalibrated, recalibration, shelf, versions
    from training.calibrate import Requirements

    required = Requirements(arguments.screening_sensitivity, arguments.balanced_sensitivity, arguments.rule_in_specificity)
    _check(required, arguments)
    shelf.check_target(arguments.out, arguments.replace)
    classifier, threads = packages.load(arguments.package)
    asked = [arguments.source, *([arguments.measure_on] if arguments.measure_on else [])]
    with resuming.kept("calibrate", asked, {"package": classifier.identity.sha256}) as kept:
        predictions, calibrated_on = _predictions(arguments.source, classifier, threads, kept)
        held_out, measured_on = _held_out(arguments, classifier, threads, kept)
        result = recalibration.recalibrate(predictions, classifier.manifest, required, calibrated_on["source"], held_out)
        version = arguments.package_version or versions.patch_after(classifier.manifest.version)
        parent = package.locate(arguments.package)
        record = {**calibrated_on, **measured_on, "requirements": required._asdict()}
        with quiet_native_code():
            manifest = recalibrated.write(parent, result, version, record, arguments.out)
            package.load(arguments.out)
    print(f"wrote {arguments.out}: version {version}")
    packages.tell_worth(manifest)
    return 0


def _check(required: tuple[float, ...], arguments: argparse.Namespace) -> None:
    import re

    from training import errors

    if not all(0.5 <= share < 1.0 for share in required) or required[0] < required[1]:
        raise errors.InvalidOption(
            f"Expected shares from 0.5 to below 1, the screening sensitivity at least the balanced one. Received: {tuple(required)}."
        )
    if arguments.measure_on is not None and arguments.source.is_dir():
        raise errors.InvalidOption("Expected --measure-on with a file of predictions. Received: a data set, whose folds measure.")
    version = arguments.package_version
    if version is not None and not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", version):
        raise errors.InvalidOption(f"Expected a version of letters, digits, dots, dashes and underscores. Received: {version!r}.")


def _predictions(source: Path, classifier: "Classifier", threads: int, kept: "Kept") -> "tuple[Predictions, dict[str, Any]]":
    """Return predictions and what the manifest says of them."""
    import hashlib

    from training import cases, predictions, shifted_answers

    if source.is_file():
        read = predictions.read(source, [label.name for label in classifier.manifest.labels])
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        return read, {"source": f"out-of-fold predictions ({source.name})", "predictions_sha256": sha256}
    shifted = shifted_answers.ask(cases.find(source, classifier.manifest), classifier, threads, kept=kept)
    packages.tell(shifted.unread)
    said = shifted_answers.source(source, classifier.manifest)
    return shifted.predictions, {"source": said, "dataset_sha256": shifted.sha256}


def _held_out(
    arguments: argparse.Namespace, classifier: "Classifier", threads: int, kept: "Kept"
) -> "tuple[Predictions | None, dict[str, str]]":
    """Return what the network says of those whom its training held out, where they are to report, and what the manifest says of them."""
    from training import cases, shifted_answers
    from training.card_commands import HELD_OUT

    folder = arguments.measure_on
    if folder is None:
        return None, {}
    found = cases.held_out(cases.find(folder, classifier.manifest), classifier.manifest)
    shifted = shifted_answers.ask(found, classifier, threads, kept=kept)
    packages.tell(shifted.unread)
    return shifted.predictions, {HELD_OUT: shifted.sha256}
