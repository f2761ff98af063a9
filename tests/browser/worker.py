"""Stands in for `pneumonia retrain --job ID`: writes what a worker would write, when a test says so, and learns nothing.

Orders come through a pipe, a line each: `progress 0.3`, `kept REASON`, `promoted VERSION`, `failed REASON`.
"""

import argparse
import os

from core import models, promotions, worker
from core.living import RetrainOutcome
from core.store import open_store

FIGURES = {
    "champion": {"auroc": 0.9946, "sensitivity": 0.97, "specificity": 0.95},
    "challenger": {"auroc": 0.9951, "sensitivity": 0.975, "specificity": 0.951},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", required=True)
    job_id = parser.parse_args().job
    store = open_store(os.environ["PNEUMONIA_STORE"])
    held = worker.claim(store, job_id, "stand-in", 600.0)
    with open(os.environ["STAND_IN_ORDERS"], encoding="utf-8") as orders:  # noqa: PTH123 - a pipe: opening waits for who writes
        for line in orders:
            order, _, rest = line.strip().partition(" ")
            if order == "progress":
                held.progress(float(rest), force=True)
                continue
            if order == "kept":
                held.done(RetrainOutcome(result="kept", reasons=(rest,), version="9.0.0", champion="0.2.0", figures=FIGURES))
            elif order == "promoted":
                promotions.promote(store, models.manifest(store, rest)[1], f"job {job_id}", "passed the gate", "0.2.0")
                held.done(RetrainOutcome(result="promoted", version=rest, champion="0.2.0", figures=FIGURES))
            else:
                held.fail(rest)
            return  # what follows is for the worker of another job


if __name__ == "__main__":
    main()
