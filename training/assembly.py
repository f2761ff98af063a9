"""A trained Keras model to everything a package says: converted, held against Keras, calibrated, measured.

Temperature, thresholds and figures are those of the flatbuffer that serves, not of the Keras model it came from.
"""

import hashlib
import logging
import os
from typing import Final, NamedTuple

import msgspec

from core import phantom
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.manifest import Label, Manifest, OperatingPoint, Origin, SelfTest, SelfTestCase
from core.network import Network
from core.package import SELFTEST_SIDE_PX
from training import calibrate, choices, claims, convert, draft, errors, guard, networks, origin, precision
from training.experiment import Trained
from training.kept import NOTHING, Kept
from training.names import BACTERIAL, NORMAL, VIRAL
from training.pictures import GreyStack, inputs
from training.shifts import predictor

_log = logging.getLogger(__name__)

LABELS: Final = (
    Label(name=NORMAL, code="17621005"),
    Label(name=BACTERIAL, code="53084003"),
    Label(name=VIRAL, code="75570004"),
)
"""In the order of `training.names.KINDS`, with SNOMED CT codes."""
PNEUMONIA_CODE: Final = "233604007"

_PARITY_PICTURES: Final = 128
_SELFTEST_SEEDS: Final = (0, 1)
_SELFTEST_TOLERANCE: Final = 5e-3  # processors round float32 differently; a wrong network is off by far more
_NO_DIGEST: Final = "0" * 64


class Release(NamedTuple):
    """What only a person can say about a package."""

    name: str
    version: str
    dataset_name: str
    weights_origin: str = ""
    of_children: bool = False
    requirements: calibrate.Requirements = calibrate.REQUIREMENTS


class Parts(NamedTuple):
    """All that goes into a package but the digests of its files."""

    manifest: Manifest
    flatbuffer: bytes
    selftest: SelfTest
    guard: bytes | None = None


def assemble(trained: Trained, release: Release, labels: tuple[Label, ...] = LABELS, kept: Kept = NOTHING) -> Parts:
    """Convert, calibrate and measure a trained model, of these labels. Its logits get the correction that the tune patients ask for.

    Args:
        trained: the model, and what it learned from.
        release: what only a person can say.
        labels: of the model.
        kept: of this model and its data.

    Raises:
        errors.ConversionFailed, errors.ParityBroken: the network cannot serve.
    """
    manifest = _provisional(trained, release, labels)
    done = choices.correct(trained.model, trained.pictures.take(trained.split["tune"]), trained.contract, kept)
    flatbuffer, parity = _converted(trained, manifest, kept)
    network = Network(flatbuffer, manifest, os.cpu_count() or 1)
    taught, tune, test = (trained.pictures.take(trained.split[part]) for part in ("fit", "tune", "test"))
    record = {
        "correction": {"kinds_factor": round(done.kinds_factor, 4), "bias": [round(value, 4) for value in done.bias.tolist()]},
        "parity": {**parity, "pictures": min(_PARITY_PICTURES, len(tune.labels))},
    }
    manifest = msgspec.structs.replace(manifest, metrics=record)
    manifest = choices.calibrated(manifest, network, taught, tune, test, release.requirements, kept)
    manifest = with_draft_margin(manifest, network, tune.grey, kept)
    parts = Parts(manifest, flatbuffer, selftest(classifier(manifest, network)))
    if min(len(tune.labels), len(test.labels)) < guard.FEWEST:
        _log.warning("no guard: it takes %d tune and %d test pictures to place its thresholds", guard.FEWEST, guard.FEWEST)
        return parts
    chests = guard.Chests(taught.grey, tune.grey, test.grey)
    fitted = guard.fit(network, manifest.input, chests, kept=kept)
    return parts._replace(manifest=guard.guarded(manifest, fitted), guard=fitted.file)


def with_draft_margin(manifest: Manifest, network: Network, grey: GreyStack, kept: Kept = NOTHING) -> Manifest:
    """Return the manifest with the margin that scaled JPEG decoding was measured to need."""
    margin = draft.margin(classifier(manifest, network), grey, kept=kept)
    return msgspec.structs.replace(manifest, input=msgspec.structs.replace(manifest.input, draft_margin=margin))


def _provisional(trained: Trained, release: Release, labels: tuple[Label, ...]) -> Manifest:
    """Return a manifest that says what the network takes and gives, with a placeholder for all that is still to be measured."""
    placeholder = OperatingPoint(
        name=calibrate.BALANCED, threshold=0.5, indeterminate_from=0.5, indeterminate_to=0.5, sensitivity=None, specificity=None
    )
    said = claims.of(trained.pictures.dataset, of_children=release.of_children)
    return Manifest(
        format_version=1,
        name=release.name,
        version=release.version,
        files={},
        input=trained.contract,
        labels=labels,
        negative=labels[0].name,
        pneumonia_code=PNEUMONIA_CODE,
        class_activation_maps=networks.has_maps(trained.model),
        of_children=said.of_children,
        embedding_size=int(networks.with_outputs(trained.model).outputs[-1].shape[-1]),
        temperature=1.0,
        operating_points=(placeholder,),
        default_operating_point=calibrate.BALANCED,
        metrics={},
        origin=_origin(trained, release),
        intended_use=said.intended_use,
        limits=said.limits,
    )


def _origin(trained: Trained, release: Release) -> Origin:
    return origin.describe(trained.pictures, trained.split, trained.configuration, release.dataset_name, release.weights_origin)


def _converted(trained: Trained, manifest: Manifest, kept: Kept) -> tuple[bytes, dict[str, float]]:
    """Return the float16 network, or its float32 twin where rounding shows, proven equal to Keras, and their largest differences."""
    exported = networks.with_outputs(trained.model)
    full = kept.remember("conversion", lambda _: convert.to_litert(exported), bytes)(b"")
    flatbuffer = precision.halve(full)
    grey = trained.pictures.take(trained.split["tune"][:_PARITY_PICTURES]).grey
    values = inputs(grey, trained.contract)
    expected = predictor(trained.model)(values)
    parity = convert.check_parity(expected, [("float32", Network(full, manifest, 1), convert.PARITY_FLOAT32)], values)
    try:
        halved = convert.check_parity(expected, [("float16", Network(flatbuffer, manifest, 1), convert.PARITY_FLOAT16)], values)
    except errors.ParityBroken as error:
        _log.warning("weights stay in full precision: %s", error)  # twice the size, and no work is lost
        return full, parity
    return flatbuffer, {**parity, **halved}


def classifier(manifest: Manifest, network: Network) -> Classifier:
    """Return a classifier that nobody has signed yet."""
    return Classifier(manifest, ModelIdentity(name=manifest.name, version=manifest.version, sha256=_NO_DIGEST), network)


def selftest(classifier: Classifier) -> SelfTest:
    """Return what this classifier answers to synthetic chests."""
    cases = []
    for seed in _SELFTEST_SEEDS:
        pixels = phantom.chest(seed, SELFTEST_SIDE_PX)
        probabilities, _ = classifier.probabilities(pixels)
        shown = tuple(round(float(probability), 6) for probability in probabilities)
        cases.append(SelfTestCase(seed=seed, pixels_sha256=hashlib.sha256(pixels.tobytes()).hexdigest(), probabilities=shown))
    return SelfTest(tolerance=_SELFTEST_TOLERANCE, cases=tuple(cases))
