"""Brings a Keras model that was trained elsewhere into a model package. Called by `pneumonia package`.

Everything the package says was told by a person, seen in the network, or measured here; `Brought.found` says which, and the manifest
keeps it. Nothing is made up: without a labelled data set the package has one operating point, at 0.5, that nobody measured.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from core.manifest import InputContract, Manifest, OperatingPoint, Origin
from core.network import Network
from training import (
    assembly,
    conventions,
    convert,
    dataset,
    declarations,
    errors,
    graphs,
    heads,
    metrics,
    modelfiles,
    origin,
    proofs,
)
from training import pictures as stacks
from training.assembly import Parts, Release
from training.dataset import KINDS, NORMAL
from training.declarations import Declared, Found, Labels
from training.heads import Head
from training.pictures import Pictures

_log = logging.getLogger(__name__)

UNCALIBRATED: Final = "uncalibrated"
INTENDED_USE: Final = "Research and education. Not a medical device; a person who can read the picture decides."
TRAINED_ELSEWHERE: Final = "Trained elsewhere: on which pictures and how is not known to this package."
NOT_CALIBRATED: Final = "Not calibrated: probabilities are as the network gives them, and nobody measured what the threshold of 0.5 gives."
NO_GUARD: Final = "A picture that is no frontal chest X-ray gets an answer too, and it means nothing."
NO_MAPS: Final = "It cannot show where in the picture it saw something: its head allows no class activation maps."
SEEN: Final = "whether training elsewhere has seen these pictures is not known"

_MARGIN_PICTURES: Final = 200  # fewer do not make the largest change of scaled decoding trustworthy


class Brought(NamedTuple):
    """A package, and how each thing that it says is known."""

    parts: Parts
    found: Found


def bring(path: Path, declared: Declared, release: Release) -> Brought:
    """Convert, prove and, where a data set is given, calibrate a model from elsewhere.

    Raises:
        errors.TrainingError: one of its leaves; what nothing tells is asked for.
    """
    opened = modelfiles.open_model(path)
    found: Found = {"format": opened.format}
    contract = declarations.size(opened.model, declared, found)
    flat = graphs.flatten(opened.model, (contract.height_px, contract.width_px, contract.channels))
    head = heads.examine(flat)
    labels = declarations.labels(declared, head, found)
    labelled = _labelled(declared.dataset, contract, labels)
    negative = labels.names.index(labels.negative)
    name = declarations.values(flat, opened.model, head, negative, contract, declared, labelled, found)
    subject = proofs.Subject(opened.model, flat, head, conventions.VALUES[name])
    contract = msgspec.structs.replace(contract, low=subject.values.low, high=subject.values.high)
    found |= {
        "outputs": f"{head.ending}, {'applied by the network' if head.applied else 'added to its logits'}",
        "class activation maps": "its head allows them" if head.has_maps else "none: its head allows none",
        "embedding": f"{head.embedding_size} numbers" if head.embedding_size else "none",
    }
    grey = proofs.pictures(declared.pictures, labelled, contract, found)
    source: dict[str, object] = {"brought_from": opened.file, "format": opened.format, "sha256": opened.sha256, "known_by": found}
    manifest = _uncalibrated(head, contract, labels, _origin(release, source), release, declared)
    flatbuffer, parity = proofs.converted(subject, manifest, grey)
    manifest = msgspec.structs.replace(manifest, metrics={"parity": {**parity, "pictures": len(grey)}})
    network = Network(flatbuffer, manifest, 1)
    if head.has_maps:
        proofs.hold_maps(subject, network, contract, grey)
    if labelled is not None:
        manifest = _calibrated(manifest, network, labelled)
    return Brought(Parts(manifest, flatbuffer, assembly.selftest(assembly.classifier(manifest, network))), found)


def _labelled(folder: Path | None, contract: InputContract, labels: Labels) -> Pictures | None:
    """Read the data set, if one is given."""
    if folder is None:
        return None
    if len(labels.names) > 2 and (set(labels.names) != set(KINDS) or labels.negative != NORMAL):
        raise errors.InvalidOption(
            f"Expected labels that a data set of NORMAL/ and PNEUMONIA/ can be held against: two, or {', '.join(KINDS)}. "
            f"Received: {', '.join(labels.names)}, of which {labels.negative} is negative; leave --dataset out."
        )
    return stacks.load(dataset.index(folder), contract)


def _uncalibrated(head: Head, contract: InputContract, labels: Labels, source: Origin, release: Release, declared: Declared) -> Manifest:
    """Return the manifest of a package that nobody has calibrated."""
    point = OperatingPoint(
        name=UNCALIBRATED, threshold=0.5, indeterminate_from=0.5, indeterminate_to=0.5, sensitivity=None, specificity=None
    )
    return Manifest(
        format_version=1,
        name=release.name,
        version=release.version,
        files={},
        input=contract,
        labels=labels.labels,
        negative=labels.negative,
        pneumonia_code=assembly.PNEUMONIA_CODE,
        class_activation_maps=head.has_maps,
        embedding_size=head.embedding_size,
        temperature=1.0,
        operating_points=(point,),
        default_operating_point=UNCALIBRATED,
        metrics={},
        origin=source,
        intended_use=declared.intended_use or INTENDED_USE,
        limits=(TRAINED_ELSEWHERE, NOT_CALIBRATED, NO_GUARD, *(() if head.has_maps else (NO_MAPS,))),
    )


def _origin(release: Release, source: dict[str, object]) -> Origin:
    return Origin(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        commit=origin.commit(),
        dataset=release.dataset_name or "not known: trained elsewhere",
        dataset_sha256=None,
        split={},
        config=source,
        libraries=origin.libraries(),
        initial_weights=release.weights_origin or f"trained elsewhere: {source['brought_from']}, sha256 {source['sha256']}",
    )


def _calibrated(manifest: Manifest, network: Network, labelled: Pictures) -> Manifest:
    """Choose temperature and thresholds on half of the patients, measure on the other half."""
    names = [label.name for label in manifest.labels]
    _hold_labels(manifest, network, labelled, names)
    tune, test = (labelled.take(half) for half in _halves(labelled))
    columns = [names.index(kind) for kind in KINDS] if len(names) == len(KINDS) else [manifest.negative_index, 1 - manifest.negative_index]
    manifest = assembly.calibrated(manifest, network, tune, test, columns)
    if len(tune.labels) >= _MARGIN_PICTURES:
        manifest = assembly.with_draft_margin(manifest, network, tune.grey)
    counts = {"unreadable": len(labelled.unreadable)}
    for part, some in (("tune", tune), ("test", test)):
        counts |= {f"{part}_pictures": len(some.labels), f"{part}_patients": len(set(some.groups))}
    folder, sha256 = labelled.dataset.folder.resolve().name, labelled.dataset.sha256
    measured = f"patients of {folder} (sha256 {sha256}) who did not choose the thresholds; {SEEN}"
    limits = [limit for limit in manifest.limits if limit != NOT_CALIBRATED]
    return msgspec.structs.replace(
        manifest,
        metrics={**manifest.metrics, "measured_on": measured},
        limits=(*limits, f"Calibrated and measured on pictures of one data set; {SEEN}."),
        origin=msgspec.structs.replace(manifest.origin, split=counts),
    )


def _halves(labelled: Pictures) -> tuple[list[int], list[int]]:
    """Deal patients with and without pneumonia to two halves, in a seeded order.

    Raises:
        errors.TooFewPatients: there are fewer than two with, or fewer than two without.
    """
    rng = np.random.default_rng(0)
    halves: tuple[list[int], list[int]] = ([], [])
    ill = set(labelled.groups[labelled.labels > 0])
    for name, groups in (("pneumonia", ill), (NORMAL, set(labelled.groups) - ill)):
        if len(groups) < 2:
            raise errors.TooFewPatients(f"Expected two patients or more with {name}, to calibrate and to measure. Received: {len(groups)}.")
        for turn, group in enumerate(rng.permutation(sorted(groups))):
            halves[turn % 2].extend(int(row) for row in np.flatnonzero(labelled.groups == group))
    return sorted(halves[0]), sorted(halves[1])


def _hold_labels(manifest: Manifest, network: Network, labelled: Pictures, names: list[str]) -> None:
    """Hold the order of the labels against pictures.

    Raises:
        errors.LabelsContradicted: pictures of pneumonia get the lower probabilities of it.
    """
    normal = convert.run_all(network, stacks.inputs(labelled.grey, manifest.input))[:, manifest.negative_index]
    auroc = metrics.auroc(labelled.labels > 0, 1.0 - np.asarray(normal, np.float64))
    if not auroc >= 0.5:
        raise errors.LabelsContradicted(
            f"Expected higher probabilities of pneumonia for pictures of pneumonia. Received: AUROC {auroc:.3f} on {len(labelled.labels)} "
            f"labelled pictures. Is {', '.join(names)} the order of the outputs, and are the values right?"
        )
