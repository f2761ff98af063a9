"""`pneumonia retrain`: carries out a retraining job of the store, or asks for one and carries it out here. Needs the training extra."""

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cli import console, recipe

if TYPE_CHECKING:
    from core.living import RetrainOutcome


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "retrain",
        help="retrain the active model on what was uploaded, and promote what is not worse",
        description="Fine-tune the active model of the store on its uploads and the base data set, compare both on the same held-out "
        "pictures, and promote the new one unless it is worse. Without --job a job is asked for and carried out here.",
        epilog="Interrupted, the same command with the job's id goes on. Exit status: 0 promoted or kept, 2 failed.",
    )
    parser.add_argument("--job", metavar="ID", help="a job that POST /retrain gave")
    parser.add_argument("--store", metavar="URL", help="(default: PNEUMONIA_STORE)")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="state of the job (default: a temporary folder of the job's own)")
    parser.add_argument("--take-over", action="store_true", help="take the job from a worker that does not count as gone yet")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Claim the job, carry it out, and say what came of it."""
    import hashlib
    import platform

    import msgspec

    from core import errors, jobs, settings, worker
    from core.store import open_store

    configuration = settings.read(os.environ)
    url = arguments.store or configuration.store
    if url is None:
        raise errors.NoStore("Expected --store or PNEUMONIA_STORE. Received: neither.")
    configuration = msgspec.structs.replace(configuration, store=url)
    store, stale_s = open_store(url), configuration.job_stale_s
    job_id = jobs.find(store, arguments.job).id if arguments.job else jobs.create(store, "terminal", stale_s).id
    name = f"{platform.node()}:{os.getpid()}"
    held = worker.claim(store, job_id, name, stale_s, arguments.take_over)

    console.show_training()
    from training import retrain  # Keras: the job is claimed first, so that it shows as running while this loads

    place = hashlib.sha256(url.encode()).hexdigest()[:12]
    work = arguments.work or Path(tempfile.gettempdir()) / "pneumonia" / place / job_id
    outcome = retrain.run(store, held, configuration, work, recipe.journal(arguments))
    _say(job_id, outcome)
    return 2 if outcome.result == "failed" else 0


def _say(job_id: str, outcome: "RetrainOutcome") -> None:
    came_of_it = {
        "promoted": f"version {outcome.version} is active now, in the place of {outcome.champion}",
        "kept": f"{outcome.champion} stays active" + (f", version {outcome.version} is kept beside it" if outcome.version else ""),
        "failed": "failed",
    }
    print(f"job {job_id}: {came_of_it[outcome.result]}")
    for name, figures in outcome.figures.items():
        print(f"{name}: " + ", ".join(f"{figure} {value:.4f}" for figure, value in figures.items()))
    for reason in outcome.reasons:
        print(f"because: {reason}")
