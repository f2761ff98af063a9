"""Brings a Keras model that was trained elsewhere into a model package. Called by `pneumonia package`.

Everything the package says was told by a person, seen in the network, or measured here; `Brought.found` says which, and the manifest
keeps it. Nothing is made up: without a labelled data set the package has one operating point, at 0.5, that nobody measured.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from core.manifest import InputContract, Manifest, OperatingPoint, Origin
from core.network import Network
from training import (
    assembly,
    cases,
    claims,
    conventions,
    declarations,
    errors,
    graphs,
    guard,
    heads,
    metrics,
    modelfiles,
    origin,
    proofs,
    recalibration,
    shifted_answers,
)
from training import labelled as labelled_pictures
from training.assembly import Parts, Release
from training.calibrate import REQUIREMENTS
from training.declarations import Declared, Found, Labels
from training.guard import UNGUARDED
from training.heads import Head
from training.kept import NOTHING, Kept
from training.labelled import Labelled
from training.predictions import PLAIN, Predictions
from training.recalibration import NOT_CALIBRATED

_log = logging.getLogger(__name__)

UNCALIBRATED: Final = "uncalibrated"
NO_MAPS: Final = "It cannot show where in the picture it saw something: its head allows no class activation maps."

_MARGIN_PICTURES: Final = 200  # fewer do not make the largest change of scaled decoding trustworthy


class Brought(NamedTuple):
    """A package, and how each thing that it says is known."""

    parts: Parts
    found: Found


GoingOn = Callable[[Mapping[str, str]], AbstractContextManager[Kept]]
"""Gives what an interrupted run has answered to the question that these words stand for."""


def bring(
    path: Path, declared: Declared, release: Release, threads: int = 1, going_on: GoingOn = lambda asked: nullcontext(NOTHING)
) -> Brought:
    """Convert, prove and, where a data set is given, calibrate a model from elsewhere.

    Args:
        path: of the model.
        declared: what a person says of it.
        release: what only a person can say of the package.
        threads: how many labelled pictures are in work at once.
        going_on: with what was answered before of the labelled pictures.

    Raises:
        errors.TrainingError: one of its leaves; what nothing tells is asked for.
    """
    opened = modelfiles.open_model(path)
    found: Found = {"format": opened.format}
    contract = declarations.size(opened.model, declared, found)
    flat = graphs.flatten(opened.model, (contract.height_px, contract.width_px, contract.channels))
    head = heads.examine(flat)
    labels = declarations.labels(declared, head, found)
    labelled = _labelled(declared.dataset, contract, labels, threads)
    if labelled is not None:
        _hold_patients(labelled.found)
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
    record = {"parity": {**parity, "pictures": len(grey)}}
    manifest = msgspec.structs.replace(manifest, metrics=record)
    network = Network(flatbuffer, manifest, threads)
    if head.has_maps:
        proofs.hold_maps(subject, network, contract, grey)
    fitted = None
    if labelled is not None:
        described = msgspec.json.encode((contract, labels.labels)).decode()
        with going_on({"network": hashlib.sha256(flatbuffer).hexdigest(), "manifest": described}) as kept:
            manifest = _calibrated(manifest, network, labelled, kept)
            fitted = None if head.embedding_size is None else _guarded(network, contract, labelled, kept)
    manifest = manifest if fitted is None else guard.guarded(manifest, fitted)
    tested = assembly.selftest(assembly.classifier(manifest, network))
    return Brought(Parts(manifest, flatbuffer, tested, None if fitted is None else fitted.file), found)


def _guarded(network: Network, contract: InputContract, labelled: Labelled, kept: Kept) -> guard.Fitted | None:
    """Fit a guard where there are pictures enough; on other patients than those who choose its thresholds."""
    fit, tune, test = (labelled.grey[rows] for rows in guard.deal(list(labelled.groups)).values())
    if min(len(fit), len(tune), len(test)) < guard.FEWEST:
        _log.warning("no guard: it takes %d pictures in each of three parts of the patients", guard.FEWEST)
        return None
    return guard.fit(network, contract, guard.Chests(fit, tune, test), kept=kept)


def _labelled(folder: Path | None, contract: InputContract, labels: Labels, threads: int) -> Labelled | None:
    """Read some of the data set, if one is given."""
    return None if folder is None else labelled_pictures.read(cases.find(folder, labels), contract, threads)


def _uncalibrated(head: Head, contract: InputContract, labels: Labels, source: Origin, release: Release, declared: Declared) -> Manifest:
    """Return the manifest of a package that nobody has calibrated."""
    point = OperatingPoint(
        name=UNCALIBRATED, threshold=0.5, indeterminate_from=0.5, indeterminate_to=0.5, sensitivity=None, specificity=None
    )
    elsewhere = claims.TOLD_ELSEWHERE if release.dataset_name else claims.TRAINED_ELSEWHERE
    manifest = Manifest(
        format_version=1,
        name=release.name,
        version=release.version,
        files={},
        input=contract,
        labels=labels.labels,
        negative=labels.negative,
        pneumonia_code=assembly.PNEUMONIA_CODE,
        class_activation_maps=head.has_maps,
        of_children=False,
        embedding_size=head.embedding_size,
        temperature=1.0,
        operating_points=(point,),
        default_operating_point=UNCALIBRATED,
        metrics={},
        origin=source,
        intended_use=declared.intended_use or claims.USE_OF_ANY,
        limits=(
            elsewhere,
            NOT_CALIBRATED,
            UNGUARDED,
            *(() if head.has_maps else (NO_MAPS,)),
        ),
    )
    return claims.of_patients(manifest, of_children=True) if release.of_children else manifest


def _origin(release: Release, source: dict[str, object]) -> Origin:
    return Origin(
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        commit=origin.commit(),
        dataset=release.dataset_name or claims.UNKNOWN_DATA,
        dataset_sha256=None,
        split={},
        config=source,
        libraries=origin.versions(),
        initial_weights=release.weights_origin or f"{claims.UNKNOWN_WEIGHTS}{source['brought_from']}, sha256 {source['sha256']}",
    )


def _calibrated(manifest: Manifest, network: Network, labelled: Labelled, kept: Kept) -> Manifest:
    """Choose temperature and thresholds as `pneumonia calibrate` does, on all pictures, and measure across folds of patients."""
    shifted = shifted_answers.ask(labelled.found, assembly.classifier(manifest, network), network.interpreters, kept=kept)
    for unread in shifted.unread:
        _log.warning("%s is left out: %s: %s", unread.case.shown, unread.code, unread.detail)
    _hold_labels(shifted.predictions, manifest)
    source = shifted_answers.source(labelled.found.folder, manifest)
    result = recalibration.recalibrate(shifted.predictions, manifest, REQUIREMENTS, source)
    record = {
        "source": source,
        "dataset_sha256": shifted.sha256,
        "unreadable": len(shifted.unread),
        "requirements": REQUIREMENTS._asdict(),
    }
    manifest = recalibration.applied(result, manifest)
    manifest = msgspec.structs.replace(
        manifest,
        limits=(*manifest.limits, f"Calibrated and measured on pictures of one data set; {shifted_answers.SEEN}."),
        origin=msgspec.structs.replace(manifest.origin, config={**manifest.origin.config, "calibration": record}),
    )
    return assembly.with_draft_margin(manifest, network, labelled.grey, kept) if len(labelled.grey) >= _MARGIN_PICTURES else manifest


def _hold_patients(found: cases.Cases) -> None:
    """Hold the numbers of patients against what calibration will ask for, before minutes go into conversion.

    Raises:
        errors.TooFewPatients: see `recalibration.hold_patients`.
    """
    patients = np.array([case.patient or case.shown for case in found.cases])
    recalibration.hold_patients(np.array([case.pneumonia for case in found.cases], dtype=bool), patients)


def _hold_labels(predictions: Predictions, manifest: Manifest) -> None:
    """Hold the order of the labels against pictures.

    Raises:
        errors.LabelsContradicted: pictures of pneumonia get the lower probabilities of it.
    """
    plain = predictions.where(predictions.shift == PLAIN)
    truth = plain.label != manifest.negative
    if len(set(truth)) < 2:
        return  # `recalibrate` says which class is missing
    auroc = metrics.auroc(truth, 1.0 - plain.probabilities[:, manifest.negative_index])
    if not auroc >= 0.5:
        raise errors.LabelsContradicted(
            f"Expected higher probabilities of pneumonia for pictures of pneumonia. Received: AUROC {auroc:.3f} on {len(truth)} "
            f"labelled pictures. Is {', '.join(predictions.labels)} the order of the outputs, and are the values right?"
        )
