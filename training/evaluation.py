"""What `pneumonia evaluate` finds, as values: the one definition of its JSON, of its page and of docs/evaluation.md.

Shares are in [0, 1]. What cannot be computed is null and says why in `why_not`.
"""

from core.contract import NOTICE
from training.records import AgainstShortcut, Estimate, GuardRow, Record

__all__ = ["AgainstShortcut", "Estimate", "GuardRow", "Record"]

FORMAT_VERSION = 1


class ModelFacts(Record, frozen=True, kw_only=True):
    """The package that answered; `sha256` is that of its manifest, which holds the digests of all its other files."""

    name: str
    version: str
    sha256: str
    network_sha256: str
    trained_on_sha256: str | None
    labels: tuple[str, ...]
    negative: str


class UnreadableFile(Record, frozen=True, kw_only=True):
    """A file that was left out; `code` is one of docs/api.md, or `unreadable_file`."""

    file: str
    code: str
    detail: str


class DatasetFacts(Record, frozen=True, kw_only=True):
    """What was evaluated on. `sha256` is over the sorted (path, sha256) pairs of the readable pictures, as in a package's manifest."""

    name: str
    sha256: str
    pictures: int
    normal: int
    pneumonia: int
    kinds: dict[str, int]
    patients: int
    """Groups that the bootstrap draws: patients, identical pictures together; without a patient in its name a picture stands alone."""
    pictures_without_patient: int
    identical_pictures: int
    """Pictures that repeat another one byte for byte."""
    seen_in_training: bool
    """Whether this is, by its digest, the data set that the package was trained on."""
    held_out: bool
    """Whether these are only the patients of that data set whom training held out (`--held-out`)."""
    unreadable: tuple[UnreadableFile, ...]
    ignored_folders: tuple[str, ...]


class Point(Record, frozen=True, kw_only=True):
    """An operating point of the package, what it promises and what it gave here; an indeterminate picture counts by its side."""

    name: str
    threshold: float
    indeterminate_from: float
    indeterminate_to: float
    promised_sensitivity: Estimate
    promised_specificity: Estimate
    sensitivity: Estimate
    specificity: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate


class Rates(Record, frozen=True, kw_only=True):
    """Figures of yes-or-no decisions."""

    accuracy: Estimate
    balanced_accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate


class Metrics(Rates, frozen=True, kw_only=True):
    """The figures of merit; decisions are those of the operating point, indeterminate pictures by their side of its threshold."""

    auroc: Estimate
    auprc: Estimate
    bacterial_vs_viral_auroc: Estimate
    calibration_error: float
    """Expected calibration error, 15 bins of equal width."""
    brier: float


class Indeterminate(Record, frozen=True, kw_only=True):
    """The pictures between the two bounds, and the figures when they are left to a person."""

    pictures: int
    share: Estimate
    with_pneumonia: int
    decided: Rates


class Confusion(Record, frozen=True, kw_only=True):
    """Counts by truth and decision; `decisions` keeps indeterminate apart, `kinds` holds rows of truth, columns of the answer."""

    true_negative: int
    false_positive: int
    false_negative: int
    true_positive: int
    decisions: dict[str, dict[str, int]]
    kinds: dict[str, dict[str, int]]


class ReportRow(Record, frozen=True, kw_only=True):
    """One class of the classification report."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    pictures: int


class KindFacts(Record, frozen=True, kw_only=True):
    """How often one kind of pneumonia is found, and how often it is also called by its name."""

    kind: str
    pictures: int
    sensitivity: Estimate
    named_right: Estimate


class RocCurve(Record, frozen=True, kw_only=True):
    """Points from strict to lenient; points on a straight line between two others are left out."""

    threshold: tuple[float, ...]
    false_positive_rate: tuple[float, ...]
    sensitivity: tuple[float, ...]


class PrecisionRecallCurve(Record, frozen=True, kw_only=True):
    """Points from strict to lenient."""

    threshold: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]


class ReliabilityBin(Record, frozen=True, kw_only=True):
    """Pictures whose probability lies in [low, high): what was said, and what was so, with its 95 % interval (Wilson)."""

    low: float
    high: float
    pictures: int
    mean_probability: float
    share_with_pneumonia: float
    share_low: float
    share_high: float


class ThresholdRow(Record, frozen=True, kw_only=True):
    """What one threshold would give; null where a class or a call is missing."""

    threshold: float
    sensitivity: float | None
    specificity: float | None
    accuracy: float
    balanced_accuracy: float | None
    positive_predictive_value: float | None
    negative_predictive_value: float | None


class Curves(Record, frozen=True, kw_only=True):
    """The curves as numbers."""

    roc: RocCurve | None
    precision_recall: PrecisionRecallCurve | None
    reliability: tuple[ReliabilityBin, ...]
    thresholds: tuple[ThresholdRow, ...]


class CorruptionRow(Record, frozen=True, kw_only=True):
    """The same pictures at the network's size under one corruption; `fall` is that of balanced accuracy against the plain ones."""

    name: str
    degree: str
    amount: str
    auroc: float | None
    sensitivity: float | None
    specificity: float | None
    balanced_accuracy: float | None
    fall: Estimate


class Mistake(Record, frozen=True, kw_only=True):
    """A picture that was called wrong by its side of the threshold."""

    file: str
    truth: str
    kind: str | None
    probability: float
    decision: str


class Speed(Record, frozen=True, kw_only=True):
    """Milliseconds a picture, and seconds for all; with several threads pictures share the processor."""

    threads: int
    seconds: float
    decode_ms_median: float
    network_ms_median: float
    total_ms_median: float
    total_ms_p95: float


class Evaluation(Record, frozen=True, kw_only=True):
    """The whole report."""

    format_version: int = FORMAT_VERSION
    notice: str = NOTICE
    created: str
    model: ModelFacts
    dataset: DatasetFacts
    operating_point: str
    metrics: Metrics
    confusion: Confusion
    classification_report: tuple[ReportRow, ...]
    kinds: tuple[KindFacts, ...]
    indeterminate: Indeterminate
    operating_points: tuple[Point, ...]
    corruptions: tuple[CorruptionRow, ...]
    against_shortcut: AgainstShortcut | None = None
    """Null in reports that are older than it."""
    mistakes: tuple[Mistake, ...]
    """All of them, the surest first."""
    guard: GuardRow | None = None
    """On the data set itself; null in reports that are older than it."""
    outliers: tuple[GuardRow, ...] = ()
    """On the pictures of `--outliers`, a row for each of its folders."""
    curves: Curves
    speed: Speed
    intervals: str
    versions: dict[str, str]
    sentences: dict[str, tuple[str, ...]]
    """What the figures mean, by section of the page. Those on the data may name folders: they stay out of cards."""

    @property
    def point(self) -> Point:
        """The operating point that decided."""
        return next(point for point in self.operating_points if point.name == self.operating_point)
