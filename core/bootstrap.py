"""Put the service together: the only function that knows every concrete class. Doors and tests call it."""

import os
import threading
from collections.abc import Mapping

from core import errors, logs, settings
from core.active import Active
from core.api import Service
from core.metrics import Metrics
from core.quiet import quiet_native_code
from core.records import Recorder
from core.store import Store, open_store

_lock = threading.Lock()
_service: Service | None = None


def bootstrap(environ: Mapping[str, str]) -> Service:
    """Build a service from an environment.

    Never raises for what a deployment got wrong: a service without a model, or with invalid settings, starts, stays alive and answers
    `/health/ready` and `/predict` with 503 and the reason, which is easier to find than a container that does not start.
    """
    metrics = Metrics()
    store: Store | errors.StoreUnavailable | None = None
    try:
        configuration = settings.read(environ)
        store = _open(configuration.store)
        active = Active(configuration, store, metrics)
        logs.configure(configuration.log_level)
        with quiet_native_code():
            active.start()
    except errors.InvalidSettings as error:
        configuration = settings.Settings()
        logs.configure(configuration.log_level)
        active = Active(configuration, None, metrics)
        active.fail(error)
    model = active.serving.model
    if isinstance(model, errors.ServiceError):
        logs.LOGGER.error("cannot serve", extra={"fields": {"code": model.code, "detail": str(model)}})
    recorder = Recorder(store) if configuration.record_predictions and isinstance(store, Store) else None
    return Service(configuration, active, metrics, store, recorder)


def _open(url: str | None) -> Store | errors.StoreUnavailable | None:
    """Return the store, or why it cannot be opened, which the routes that need it will say."""
    try:
        return open_store(url) if url else None
    except errors.StoreUnavailable as error:
        return error


def shared() -> Service:
    """Return this process's service, built from its environment when it is first asked for.

    Not at import: functions-framework imports a door in gunicorn's master process and forks, and threads do not survive a fork.
    """
    global _service  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _service is None:
            _service = bootstrap(os.environ)
        return _service
