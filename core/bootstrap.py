"""Put the service together: the only function that knows every concrete class. Doors and tests call it."""

import os
import threading
from collections.abc import Mapping
from types import MappingProxyType

from core import errors, launch, logs, package, settings
from core.api import Service
from core.classifier import Classifier
from core.quiet import quiet_native_code
from core.store import open_store

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
    model: Classifier | errors.ServiceError
    launcher: launch.Launcher | None = None
    try:
        configuration = settings.read(environ)
        launcher = launch.choose(configuration, environ, launchers)
        with quiet_native_code():
            model = package.load(configuration.model, configuration.interpreters)
    except errors.InvalidSettings as error:
        configuration, model = settings.Settings(), error
    except errors.ModelUnavailable as error:
        model = error
    logs.configure(configuration.log_level)
    if isinstance(model, errors.ServiceError):
        logs.LOGGER.error("cannot serve", extra={"fields": {"code": model.code, "detail": str(model)}})
    return Service(configuration, model, open_store(configuration.store) if configuration.store else None, launcher)


def shared(launchers: Mapping[str, launch.Factory] = MappingProxyType({})) -> Service:
    """Return this process's service, built from its environment when it is first asked for.

    Not at import: functions-framework imports a door in gunicorn's master process and forks, and threads do not survive a fork.
    """
    global _service  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _service is None:
            _service = bootstrap(os.environ, launchers)
        return _service
