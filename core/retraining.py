"""What the routes of retraining answer: asking for a job, and how jobs stand."""

from time import time

from core import errors, jobs, living
from core.contract import Request
from core.endpoints import Endpoints, Outcome, as_json


def ask(endpoints: Endpoints, _request: Request, request_id: str) -> Outcome:
    """Ask for a retraining and for somebody who runs it."""
    store, stale_s = endpoints.store, endpoints.settings.job_stale_s
    job = jobs.create(store, request_id, stale_s)
    try:
        if endpoints.launcher is not None:
            endpoints.launcher.launch(job.id)
    except errors.LauncherFailed as error:
        if jobs.refuse(store, job, str(error)):
            raise
    answer = as_json(jobs.find(store, job.id).shown(stale_s, time()))
    return answer._replace(status=202, headers={"Location": f"/retrain/{job.id}"}, log={"job": job.id})


def list_jobs(endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Tell of the latest retrainings."""
    stale_s = endpoints.settings.job_stale_s
    return as_json(living.RetrainJobs(jobs=tuple(job.shown(stale_s, time()) for job in jobs.recent(endpoints.store))))


def show(endpoints: Endpoints, request: Request, _request_id: str) -> Outcome:
    """Tell how a retraining stands."""
    return as_json(jobs.find(endpoints.store, request.parameters["id"]).shown(endpoints.settings.job_stale_s, time()))
