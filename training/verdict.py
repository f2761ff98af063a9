"""Whether a package that a job has brought into the store becomes the active model. Called by `training.retrain`."""

from typing import Any, Final

import msgspec

from core import models, promotions
from core.living import RetrainOutcome
from core.manifest import Manifest
from core.settings import Settings
from core.store import Store
from core.worker import Worker
from training import gate
from training.gate import Comparison
from training.origin import RUN

_MOST_PROMOTIONS: Final = 1000
_PUSHED: Final = 0.97  # how far the job is, in [0, 1]
RECORD: Final = "retraining"
"""In a manifest's `origin.config`: the job that made it; in its `metrics`: both models on the held-out pictures."""


def written(store: Store, job_id: str) -> Manifest | None:
    """Return the manifest of the version that a job has brought into the store, when it was interrupted after that.

    Raises:
        core.errors.StoreUnavailable: the store does not answer.
    """
    for version in reversed(models.versions(store)):
        manifest, _ = models.manifest(store, version)
        made: Any = manifest.origin.config.get(RECORD)
        if isinstance(made, dict) and made.get("job") == job_id:
            return manifest
    return None


def promote(store: Store, worker: Worker, settings: Settings, manifest: Manifest, tracking: str | None = None) -> RetrainOutcome:
    """Make a version of the store the active one if the gate lets it; otherwise say why not.

    Args:
        store: where the version is.
        worker: the hold on the job.
        settings: the gate.
        manifest: of the version; it names MLflow's run.
        tracking: MLflow's address.

    Raises:
        core.worker.JobTakenOver: another worker has the job: nothing is promoted.
        core.errors.StoreUnavailable: the store does not answer.
    """
    comparison = msgspec.convert(manifest.metrics[RECORD], Comparison)
    version, source = manifest.version, f"job {worker.job_id}"
    run_id: str | None = manifest.origin.config.get(RECORD, {}).get(RUN)
    outcome = RetrainOutcome(
        result="kept",
        reasons=tuple(gate.objections(comparison, settings)),
        version=version,
        champion=comparison.champion.version,
        figures={
            name: {"auroc": one.auroc, "sensitivity": one.sensitivity, "specificity": one.specificity}
            for name, one in (("champion", comparison.champion), ("challenger", comparison.challenger))
        },
        run_id=run_id,
        run_uri=tracking if run_id else None,
    )
    promoted = msgspec.structs.replace(outcome, result="promoted", reasons=())
    if any((one.version, one.source) == (version, source) for one in promotions.history(store, _MOST_PROMOTIONS)):
        return promoted  # it was interrupted between the promotion and its last event
    active = promotions.latest(store)
    if active is not None and active.version != comparison.champion.version:
        reason = f"Expected {comparison.champion.version} to be active still. Received: {active.version}, promoted in the meantime."
        return msgspec.structs.replace(outcome, reasons=(*outcome.reasons, reason))
    if outcome.reasons:
        return outcome
    worker.progress(_PUSHED, force=True)  # whoever was taken over learns it here at the latest
    identity = models.manifest(store, version)[1]
    promotions.promote(store, identity, source, "passed the gate", comparison.champion.version)
    return promoted
