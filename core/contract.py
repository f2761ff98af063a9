"""The values that cross the border: what a door hands in, what it gets back, and the JSON that a caller sees.

The JSON, its schema in `/openapi.json` and these types are one definition. Every door converts to `Request` and from `Response`.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from core.manifest import InputContract, OperatingPoint, Probability, Sha256

NOTICE = "Research use. Not a medical device."
JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


class Body(Protocol):
    """Where the bytes of a request come from; read only when a route wants them, and never more than it allows."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, fewer only at the end."""
        ...


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request without its door. Header names are in lower case; of repeated query parameters the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    parameters: Mapping[str, str] = {}
    """What stands in the path where the route has a name in braces; filled in by `core.api`."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer without its door."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all JSON bodies."""


class ModelIdentity(Answer, frozen=True, kw_only=True):
    """Which model answered; `sha256` is the digest of its manifest, which holds the digests of all its other files."""

    name: str
    version: str
    sha256: Sha256


class OperatingPointUsed(Answer, frozen=True, kw_only=True):
    """The threshold behind a decision, the zone in which none is made, and what it was measured to give; null where nobody measured it."""

    name: str
    threshold: Probability
    indeterminate_from: Probability
    indeterminate_to: Probability
    sensitivity: Probability | None
    specificity: Probability | None


class Pneumonia(Answer, frozen=True, kw_only=True):
    """The answer to the main question. `code` is SNOMED CT."""

    probability: Probability
    decision: Literal["positive", "negative", "indeterminate"]
    code: str
    operating_point: OperatingPointUsed


class Finding(Answer, frozen=True, kw_only=True):
    """The calibrated probability of one label; over all labels they sum to 1. `code` is SNOMED CT."""

    label: str
    code: str
    probability: Probability


class MostProbable(Answer, frozen=True, kw_only=True):
    """The most probable kind of pneumonia; `confidence` is its share within the kinds."""

    label: str
    confidence: Probability


class Guard(Answer, frozen=True, kw_only=True):
    """Whether this is a picture that the model was made for. A package without a guard says `unchecked`.

    A picture farther than `warn_distance` gets a warning, one farther than `threshold` is refused; null where nothing was measured.
    """

    verdict: Literal["accept", "warn", "refuse", "unchecked"]
    distance: float | None = None
    warn_distance: float | None = None
    threshold: float | None = None
    reasons: tuple[str, ...] = ()


class ImageFacts(Answer, frozen=True, kw_only=True):
    """What was read; sizes are those of the upright original."""

    format: str
    width_px: int
    height_px: int
    warnings: tuple[str, ...]


class Explanation(Answer, frozen=True, kw_only=True):
    """Where the network saw pneumonia: a PNG with alpha of the upright picture's proportions, to be laid over it."""

    method: str
    heatmap_png_b64: str


class Timing(Answer, frozen=True, kw_only=True):
    """Milliseconds spent on this picture."""

    decode: float
    network: float
    total: float


class Prediction(Answer, frozen=True, kw_only=True, tag_field="status", tag="ok"):
    """One picture's answer, the same object through every door. `warnings` says what this package cannot give (see docs/api.md)."""

    request_id: str
    model: ModelIdentity
    pneumonia: Pneumonia
    findings: tuple[Finding, ...]
    most_probable: MostProbable | None
    guard: Guard
    image: ImageFacts
    explanation: Explanation | None
    warnings: tuple[str, ...] = ()
    timing_ms: Timing
    notice: str = NOTICE


class ItemError(Answer, frozen=True, kw_only=True, tag_field="status", tag="error"):
    """Stands in the place of a picture that could not be read, among several."""

    request_id: str
    code: str
    detail: str


class Problem(Answer, frozen=True, kw_only=True):
    """An error as RFC 9457 problem details; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


class Promotion(Answer, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What made a model of the store the active one; also how it is kept there, where a later release may have added to it."""

    number: int
    id: str
    version: str
    sha256: Sha256
    """Of the manifest: what instances must find under this version."""
    at: str
    source: str
    previous: str | None
    reason: str


class Models(Answer, frozen=True, kw_only=True):
    """The models of the store, and which counts. `serving` is this instance's; `promotions` are the last ones, newest first."""

    serving: ModelIdentity | None
    active: Promotion | None
    versions: tuple[str, ...]
    promotions: tuple[Promotion, ...]


class ReloadError(Answer, frozen=True, kw_only=True):
    """Why the last look for a newly promoted model changed nothing. What served before serves on."""

    at: str
    code: str
    detail: str


class Status(Answer, frozen=True, kw_only=True):
    """How this instance is doing. `promotion` is null while the model that the service was started with serves."""

    uptime_s: float
    predictions_served: int
    model: ModelIdentity | None
    model_error: str | None
    model_since: str | None
    promotion: Promotion | None
    last_retrained: str | None
    running_job: str | None
    last_reload_error: ReloadError | None
    notice: str = NOTICE


class PublicLabel(Answer, frozen=True, kw_only=True):
    """One class of the network with its SNOMED CT code."""

    name: str
    code: str
    negative: bool


class ModelCard(Answer, frozen=True, kw_only=True):
    """The public part of the manifest."""

    model: ModelIdentity
    labels: tuple[PublicLabel, ...]
    operating_points: tuple[OperatingPoint, ...]
    default_operating_point: str
    input: InputContract
    metrics: dict[str, Any]
    dataset: str
    initial_weights: str
    created: str
    parent_version: str | None
    intended_use: str
    for_children: bool
    limits: tuple[str, ...]
    notice: str = NOTICE


class Health(Answer, frozen=True, kw_only=True):
    """`alive`: the process answers. `ready`: the model is loaded and has passed its self-test."""

    status: Literal["alive", "ready"]
