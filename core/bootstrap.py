"""Put the service together: the only function that knows every concrete class. Doors and tests call it."""

import os
import threading
from collections.abc import Mapping
from types import MappingProxyType

from core import errors, launch, logs, settings
from core.active import Active
from core.api import Service
from core.endpoints import Endpoints
from core.metrics import Metrics
from core.quiet import quiet_native_code
from core.records import Recorder
from core.store import Store, open_store

_lock = threading.Lock()
_service: Service | None = None


def bootstrap(environ: Mapping[str, str], launchers: Mapping[str, launch.Factory] = MappingProxyType({})) -> Service:
    """Build a service from an environment.

    Args:
        environ: the process's.
        launchers: what this door's cloud has to run retrainings, by the setting's name.

    Never raises for what a deployment got wrong: a service without a model, or with invalid settings, starts, stays alive and answers
    `/health/ready` and `/predict` with 503 and the reason, which is easier to find than a container that does not start.
    """
    metrics = Metrics()
    store: Store | None = None
    launcher: launch.Launcher | None = None
    try:
        configuration = settings.read(environ)
        launcher = launch.choose(configuration, environ, launchers)
        store = open_store(configuration.store) if configuration.store else None
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
    recorder = Recorder(store) if configuration.record_predictions and store else None
    return Service(active, metrics, Endpoints(configuration, active, metrics, store, recorder, launcher))


def shared(launchers: Mapping[str, launch.Factory] = MappingProxyType({})) -> Service:
    """Return this process's service, built from its environment when it is first asked for.

    Not at import: functions-framework imports a door in gunicorn's master process and forks, and threads do not survive a fork.
    """
    global _service  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _service is None:
            _service = bootstrap(os.environ, launchers)
        return _service
