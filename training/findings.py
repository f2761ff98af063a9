"""What `pneumonia evaluate --json` found, as far as a card and its figures need it: the rest of the report is left unread.

Shares are in [0, 1]; what could not be computed is null, with the reason beside it.
"""

from pathlib import Path

import msgspec

from core.manifest import NETWORK_FILE, Manifest
from training import errors


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A measured figure with its 95 % interval, or why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    why_not: str | None = None


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The package that answered."""

    name: str
    version: str
    network_sha256: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What was evaluated on."""

    name: str
    sha256: str
    pictures: int
    normal: int
    pneumonia: int
    patients: int
    seen_in_training: bool
    kinds: dict[str, int] = {}


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of merit."""

    auroc: Estimate
    auprc: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    bacterial_vs_viral_auroc: Estimate
    calibration_error: float


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """How often one kind of pneumonia is found."""

    kind: str
    pictures: int
    sensitivity: Estimate


class Corruption(msgspec.Struct, frozen=True, kw_only=True):
    """The same pictures under one corruption."""

    name: str
    degree: str
    amount: str
    auroc: float | None
    sensitivity: float | None
    specificity: float | None
    balanced_accuracy: float | None


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was called wrong. Its file name is not read: it may tell who the patient is."""

    truth: str
    kind: str | None
    probability: float
    decision: str


class Roc(msgspec.Struct, frozen=True, kw_only=True):
    """From strict to lenient."""

    false_positive_rate: tuple[float, ...]
    sensitivity: tuple[float, ...]


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """What was said and what was so, in one bin."""

    pictures: int
    mean_probability: float
    share_with_pneumonia: float
    share_low: float
    share_high: float


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The curves as numbers."""

    roc: Roc | None
    reliability: tuple[Reliability, ...]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation."""

    created: str
    model: Model
    dataset: Dataset
    operating_point: str
    metrics: Metrics
    kinds: tuple[Kind, ...]
    corruptions: tuple[Corruption, ...]
    mistakes: tuple[Mistake, ...]
    curves: Curves
    intervals: str


def read(path: Path, manifest: Manifest) -> Findings:
    """Read a report and hold it against the package that it is said to be of.

    Raises:
        errors.EvaluationMismatch: it is no report, or of another network.
    """
    try:
        findings = msgspec.json.decode(path.read_bytes(), type=Findings)
    except (OSError, msgspec.MsgspecError) as error:
        raise errors.EvaluationMismatch(f"Expected a report of `pneumonia evaluate --json`. Received: {path}: {error}.") from error
    if findings.model.network_sha256 != manifest.files.get(NETWORK_FILE):
        raise errors.EvaluationMismatch(
            f"Expected an evaluation of this package's network. Received: one of {findings.model.name} {findings.model.version}, "
            f"network {findings.model.network_sha256[:12]}…."
        )
    return findings
