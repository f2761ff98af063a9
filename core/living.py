"""What the routes of uploads and retraining answer, beside `core.contract`."""

from collections.abc import Mapping
from typing import Literal

from core.contract import Answer, Guard
from core.manifest import Probability, Sha256


class StoredPicture(Answer, frozen=True, kw_only=True, tag_field="outcome", tag="stored"):
    """A picture that the store now holds for good, under the sha256 of its bytes, and what the guard says of it."""

    sha256: Sha256
    format: str
    width_px: int
    height_px: int
    guard: Guard


class DuplicatePicture(Answer, frozen=True, kw_only=True, tag_field="outcome", tag="duplicate"):
    """A picture that the store had already under this label: sending twice stores once."""

    sha256: Sha256
    format: str
    width_px: int
    height_px: int
    guard: Guard


class RefusedPicture(Answer, frozen=True, kw_only=True, tag_field="outcome", tag="refused"):
    """A picture that was not stored; `code` and `detail` as in an error."""

    code: str
    detail: str


class ConflictingPicture(Answer, frozen=True, kw_only=True, tag_field="outcome", tag="conflict"):
    """A picture that was not stored, since the store has it under another label."""

    sha256: Sha256
    stored_label: str
    code: str
    detail: str


UploadedPicture = StoredPicture | DuplicatePicture | RefusedPicture | ConflictingPicture


class Uploads(Answer, frozen=True, kw_only=True):
    """What became of each picture of an upload, in their order."""

    request_id: str
    label: str
    uploads: tuple[UploadedPicture, ...]


class RetrainOutcome(Answer, frozen=True, kw_only=True):
    """What came of a job. `version` is that of the new package, `champion` that of the model it was held against; `run` is MLflow's."""

    result: Literal["promoted", "kept", "failed"]
    reasons: tuple[str, ...] = ()
    version: str | None = None
    champion: str | None = None
    figures: Mapping[str, Mapping[str, float]] = {}
    run_id: str | None = None
    run_uri: str | None = None


class RetrainJob(Answer, frozen=True, kw_only=True):
    """One retraining. It is `interrupted` when nothing was heard of it for `PNEUMONIA_JOB_STALE_S`; it can then be run again."""

    id: str
    state: Literal["queued", "running", "interrupted", "done", "failed", "abandoned"]
    progress: Probability
    requested: str
    started: str | None
    heard: str | None
    ended: str | None
    outcome: RetrainOutcome | None


class RetrainJobs(Answer, frozen=True, kw_only=True):
    """The latest jobs, newest first."""

    jobs: tuple[RetrainJob, ...]
