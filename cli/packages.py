"""Arguments and steps that the commands on model packages share: which package, where the new one goes, which pictures were left out."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.quiet import quiet_native_code
from core.shares import percent

if TYPE_CHECKING:
    from core.classifier import Classifier
    from core.manifest import Manifest
    from training.answers import Unread


def register_source(parser: argparse.ArgumentParser) -> None:
    """Add the package that the command reads."""
    parser.add_argument("package", type=Path, metavar="PACKAGE", help="a model package, or a folder that holds exactly one")


def register_target(parser: argparse.ArgumentParser, what: str = "the package's folder") -> None:
    """Add where the package goes that the command writes."""
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help=what)
    parser.add_argument("--replace", action="store_true", help="replace a package that is in --out")


def register_children(group: "argparse._ArgumentGroup") -> None:
    """Add what a person says of the patients whose pictures taught the model."""
    group.add_argument(
        "--of-children",
        action="store_true",
        help="it learned from children: a DICOM file of an adult gets a warning (`train` knows it of the public data set)",
    )


def load(folder: Path) -> "tuple[Classifier, int]":
    """Load a package with an interpreter for each processor; return it, and how many those are.

    Raises:
        core.errors.ModelUnavailable: there is none, or it cannot serve.
    """
    from core import package

    threads = os.cpu_count() or 1
    with quiet_native_code():
        return package.load(folder, threads), threads


def tell_worth(manifest: "Manifest") -> None:
    """Print what a calibrated package was measured to do: one that tells nothing apart, or calls everybody ill, is written, too."""
    measured = manifest.metrics
    auroc, patients = measured["auroc"], f"{measured['pictures']} pictures, {measured['patients']} patients"
    print(f"measured on {patients}: {measured['measured_on']}")
    print(f"AUROC {auroc['value']:.4f} ({auroc['low']:.4f} to {auroc['high']:.4f}), temperature {manifest.temperature}")
    if unnamed := measured["pictures_without_patient"]:
        print(f"of {unnamed} of these pictures no name tells the patient: each counts as one, which may flatter the figures")
    for point in manifest.operating_points:
        low, high = measured["threshold_spread"][point.name]
        rates = (("sensitivity", point.sensitivity), ("specificity", point.specificity))
        said = ", ".join(f"{name} {rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})" for name, rate in rates if rate is not None)
        print(f"{point.name}: threshold {point.threshold} (95 % of the draws: {low} to {high}), {said}")
    print(f"without a decision at {manifest.default_operating_point}: {percent(measured['indeterminate_share'])} of the pictures")


def tell(left_out: "Iterable[Unread]") -> None:
    """Say on standard error which files were no readable pictures, and why."""
    for unread in left_out:
        print(f"left out: {unread.case.shown}: {unread.code}: {unread.detail}", file=sys.stderr)
