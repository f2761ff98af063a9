"""The manifest of a model package: what the network expects, what its outputs mean and how sure we are of it.

Read by `core.package` when a package is loaded, written by `training.export`. Thresholds, labels and sizes stand here and nowhere in code.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"
NETWORK_FILE = "network.tflite"
SELFTEST_FILE = "selftest.json"
GUARD_FILE = "guard.npz"

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
Count = Annotated[int, Meta(ge=1)]
Cells = Annotated[float, Meta(ge=-1.0, le=1.0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Identifier = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class InputContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The array that the network takes: float32 (height_px, width_px, channels), values in [low, high]."""

    height_px: Count
    width_px: Count
    channels: Literal[1, 3]
    low: float
    high: float
    resample: Literal["box", "bilinear", "hamming", "bicubic", "lanczos"]
    draft_margin: Annotated[float, Meta(ge=0.0)]
    """How far scaled JPEG decoding may move the log-odds of pneumonia. Nearer to a threshold the picture is decoded in full."""


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of the network, with its SNOMED CT code."""

    name: str
    code: Annotated[str, Meta(pattern="^[0-9]{6,18}$")]


class Interval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measured proportion with its 95 % confidence interval."""

    value: Probability
    low: Probability
    high: Probability


class OperatingPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A threshold on the probability of pneumonia, with what it was measured to give.

    Probabilities in [indeterminate_from, indeterminate_to) are called indeterminate; where both equal the threshold nothing is. Nobody
    measured a point whose sensitivity or specificity is None.
    """

    name: Identifier
    threshold: Probability
    indeterminate_from: Probability
    indeterminate_to: Probability
    sensitivity: Interval | None
    specificity: Interval | None

    def __post_init__(self) -> None:
        if not self.indeterminate_from <= self.threshold <= self.indeterminate_to:
            raise ValueError(
                f"Invalid operating point `{self.name}`: expected indeterminate_from <= threshold <= indeterminate_to. "
                f"Received: {self.indeterminate_from}, {self.threshold}, {self.indeterminate_to}"
            )


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the model comes from: enough to train it again and to answer for it. `metrics` and `config` are open records."""

    created: str
    commit: str
    dataset: str
    dataset_sha256: Sha256 | None
    """None where the pictures that it was trained on are not known."""
    split: dict[str, int]
    config: dict[str, Any]
    libraries: dict[str, str]
    initial_weights: str
    parent_version: str | None = None


class GuardContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the guard decides by, beside the package's `guard.npz`; distances are in units of the training pictures' own spread.

    A picture that lies farther than `warn_distance` gets a warning, one that lies farther than `refuse_distance` is refused.
    """

    warn_distance: Annotated[float, Meta(gt=0.0)]
    refuse_distance: Annotated[float, Meta(gt=0.0)]
    chosen: str
    """How the two were chosen, in words."""
    distance_bounds: tuple[float, ...] = ()
    """Upper ends of all bins but the last, which is open; what drift of the distance is measured in. Empty where nobody measured it."""
    distance_shares: tuple[Probability, ...] = ()
    """The share of held-out pictures in each bin."""
    pictures: Annotated[int, Meta(ge=0)] = 0
    """How many held-out pictures that were."""

    def __post_init__(self) -> None:
        if self.warn_distance > self.refuse_distance:
            raise ValueError(f"Invalid guard: expected warn_distance <= refuse_distance. Received: {self.warn_distance}")
        rising = list(self.distance_bounds) == sorted(set(self.distance_bounds))
        if not rising or len(self.distance_shares) != (len(self.distance_bounds) + 1 if self.distance_bounds else 0):
            raise ValueError("Invalid guard: expected rising distance_bounds, and one share more than bounds")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of a model package. `files` holds the sha256 of every other file of the package by its relative path."""

    format_version: Literal[1]
    name: Identifier
    version: Identifier
    files: dict[str, Sha256]
    input: InputContract
    labels: Annotated[tuple[Label, ...], Meta(min_length=2)]
    negative: str
    pneumonia_code: str
    class_activation_maps: bool = True
    """Whether the network gives them: a model trained elsewhere may have a head that allows none."""
    map_offset: tuple[Cells, Cells] = (0.0, 0.0)
    """How far, down and right, what a cell of the maps looks at lies beyond the cell's own place: strided convolutions pad at one end."""
    embedding_size: Count | None
    """Length of the network's embedding; None where it gives none."""
    of_children: bool | None = None
    """Whether those who taught it are children; None in packages from before this was asked."""
    guard: GuardContract | None = None
    """What decides whether a picture is one that the model was made for; None where the package cannot tell."""
    temperature: Annotated[float, Meta(gt=0.0)]
    operating_points: Annotated[tuple[OperatingPoint, ...], Meta(min_length=1)]
    default_operating_point: str
    metrics: dict[str, Any]
    origin: Origin
    intended_use: str
    limits: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [label.name for label in self.labels]
        points = [point.name for point in self.operating_points]
        if len(set(names)) != len(names) or self.negative not in names:
            raise ValueError(f"Invalid labels: expected distinct names, one of them the negative. Received: {names}, {self.negative!r}")
        if len(set(points)) != len(points) or self.default_operating_point not in points:
            raise ValueError(
                f"Invalid operating points: expected distinct names, the default among them. Received: {points}, "
                f"{self.default_operating_point!r}"
            )
        if self.embedding_size == len(self.labels):
            raise ValueError("Invalid embedding_size: expected another number than labels, since outputs are told apart by shape")
        if self.guard is not None and self.embedding_size is None:
            raise ValueError("Invalid guard: expected a network with an embedding, which it measures")

    @property
    def negative_index(self) -> int:
        """The position of the negative label."""
        return next(index for index, label in enumerate(self.labels) if label.name == self.negative)

    @property
    def for_children(self) -> bool:
        """Whether an adult is told of; packages that do not say whom they know are taken for such that know children."""
        return self.of_children is not False

    def operating_point(self, name: str | None) -> OperatingPoint | None:
        """Return the operating point of that name (the default for None), or None where the package has no such point."""
        wanted = self.default_operating_point if name is None else name
        return next((point for point in self.operating_points if point.name == wanted), None)


class SelfTestCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phantom (`core.phantom.chest(seed=seed)`), the digest of its pixels and the calibrated probabilities it must give."""

    seed: Annotated[int, Meta(ge=0, lt=2**32)]
    pixels_sha256: Sha256
    probabilities: tuple[Probability, ...]


class SelfTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a package must answer before it may serve."""

    tolerance: Annotated[float, Meta(gt=0.0)]
    cases: Annotated[tuple[SelfTestCase, ...], Meta(min_length=1)]


def is_package(folder: Path) -> bool:
    """Whether a folder says that it is a model package."""
    return (folder / MANIFEST_FILE).is_file()


def read(folder: Path) -> tuple[Manifest, bytes]:
    """Return the manifest of a package folder and its bytes.

    Raises:
        OSError: it cannot be read.
        msgspec.ValidationError, msgspec.DecodeError: it is not a manifest; the message names the field.
    """
    data = (folder / MANIFEST_FILE).read_bytes()
    return msgspec.json.decode(data, type=Manifest), data
