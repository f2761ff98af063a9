"""`pneumonia guard`: fits a guard to a model package, which refuses pictures that are no chest X-ray. Needs the training extra."""

import argparse
from pathlib import Path

from cli import packages, recipe, resuming
from core.shares import percent


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "guard",
        help="give a model package a guard: it refuses pictures that are no chest X-ray",
        description="Fit a guard to the network of PACKAGE and write both as a new package. Best on the data set that it was trained on: "
        "the patients who taught the network then fit the guard, the tune patients choose its thresholds, the others only report.",
    )
    packages.register_source(parser)
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="folder that holds NORMAL/ and PNEUMONIA/, or a folder for each kind")
    packages.register_target(parser, "the new package's folder")
    parser.add_argument("--package-version", metavar="VERSION", help="(default: the next after the package's)")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fit, write, and say what the guard does to held-out pictures."""
    from core import package
    from core.manifest import NETWORK_FILE
    from core.network import Network
    from core.quiet import quiet_native_code
    from training import errors, guarding, shelf, versions

    shelf.check_target(arguments.out, arguments.replace)
    classifier, threads = packages.load(arguments.package)
    manifest = classifier.manifest
    if manifest.embedding_size is None:
        raise errors.InvalidOption("Expected a package whose network gives an embedding. Received: one that gives none.")
    gathered = guarding.gather(arguments.dataset, classifier, threads)
    packages.tell(gathered.unread)
    version = arguments.package_version or versions.patch_after(manifest.version)
    parent = package.locate(arguments.package)
    with resuming.kept("guard", [arguments.dataset], {"package": classifier.identity.sha256}) as kept, quiet_native_code():
        network = Network((parent / NETWORK_FILE).read_bytes(), manifest, threads)
        written = guarding.write(parent, manifest, network, gathered.chests, version, arguments.out, kept)
        package.load(arguments.out)
    found = written.metrics["guard"]
    print(
        f"wrote {arguments.out}: {written.name} {written.version}, guard: warns above {written.guard.warn_distance}"
        if written.guard
        else ""
    )
    print(
        f"{found['pictures']} held-out pictures: {percent(found['accepted'])} accepted, {percent(found['warned'])} warned, "
        f"{percent(found['refused'])} refused; {found['made']['pictures']} made and drawn ones: "
        f"{percent(1.0 - found['made']['accepted'])} refused or warned"
    )
    return 0
