"""The model that serves, and how another takes its place while requests go on.

A request takes `serving` once and keeps it to its end, so that no answer mixes two models; the one before is freed with the last request
that holds it. Looking for a new promotion, fetching its package and proving it happen in a thread of their own, without a lock that a
request could meet; the swap is one assignment. Whatever goes wrong leaves what serves where it is.
"""

import threading
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from core import contract, errors, models, package, promotions
from core.classifier import Classifier
from core.contract import Promotion
from core.logs import LOGGER
from core.metrics import Metrics
from core.settings import Settings
from core.store import Store

START_LIMIT_S: Final = 15.0
"""How long a start waits for the store, before it serves the model that the service was started with."""
_PROMOTIONS_SHOWN: Final = 20


class Serving(NamedTuple):
    """What answers from one moment on: a classifier, or why there is none; the promotion that made it so, None for the installed model."""

    model: Classifier | errors.ServiceError
    promotion: Promotion | None
    since: str


class Active:
    """The model of one process; thread-safe. Made after a fork: it starts threads."""

    def __init__(self, settings: Settings, store: Store | None, metrics: Metrics) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._serving: Serving | None = None
        self._swapping = threading.Lock()  # held for one comparison and one assignment, and by no request
        self._looking = threading.Lock()
        self._due = 0.0
        self.last_error: contract.ReloadError | None = None

    @property
    def serving(self) -> Serving:
        """What answers now. Take it once a request."""
        if self._serving is None:
            raise errors.ModelUnavailable("Expected the service to have started. Received: a request before.")
        return self._serving

    def start(self) -> None:
        """Take the promoted model, or where there is none that is sound, the one that the service was started with."""
        if self._store is not None:
            look = self._begin_look()
            if look is not None:
                look.join(START_LIMIT_S)  # a store that hangs must not keep the service from starting
                if look.is_alive():
                    self._note(
                        errors.StoreUnavailable(f"Expected the store to answer within {START_LIMIT_S:.0f} s. Received: nothing yet.")
                    )
        if self._serving is None:
            self._swap(Serving(self._installed(), None, _now()))

    def fail(self, error: errors.ServiceError) -> None:
        """Start without a model and without looking for one."""
        self._store = None
        self._swap(Serving(error, None, _now()))

    def reader(self, serving: Serving) -> package.Reader:
        """Return what reads the files of the package that serves, from where it came from.

        Raises:
            errors.ModelUnavailable: the installed package is not there any more.
        """
        if self._store is not None and serving.promotion is not None:
            return models.reader(self._store, serving.promotion.version)
        return package.reader(package.locate(self._settings.model))

    def look_if_due(self) -> None:
        """Begin to look for a new promotion where the last look is long enough ago; returns at once."""
        if self._store is not None and monotonic() >= self._due:
            self._begin_look()

    def activate(self, version: str, reason: str) -> Promotion:
        """Promote a version of the store by hand, once it has loaded and passed its self-test here; serve it from now on.

        Raises:
            errors.UnknownVersion, errors.PackageRefused, errors.StoreUnavailable: nothing was changed.
        """
        if self._store is None:
            raise errors.NoStore("Expected a store. Received: none.")
        model = self.serving.model
        before = model.identity.version if isinstance(model, Classifier) else None
        classifier, promotion = promote_proven(self._store, version, reason, self._settings, before)
        self._swap(Serving(classifier, promotion, _now()))
        return promotion

    def _begin_look(self) -> threading.Thread | None:
        """Start a look in a thread, unless one is under way or has just been."""
        if not self._looking.acquire(blocking=False):
            return None
        try:
            if monotonic() < self._due:
                self._looking.release()
                return None
            self._due = monotonic() + self._settings.refresh_s
            thread = threading.Thread(target=self._look, name="reload", daemon=True)
            thread.start()
        except RuntimeError as error:  # no more threads to be had: the next request tries again
            self._looking.release()
            self._note(errors.StoreUnavailable(f"Expected a thread to look for a promotion. Received: {error}."))
            return None
        return thread

    def _look(self) -> None:
        try:
            self._reload()
            self.last_error = None
        except errors.PneumoniaError as error:
            self._note(error)
        except Exception as error:  # a thread has nobody above it who would tell
            LOGGER.exception("unexpected error while reloading")
            self._note(errors.InternalError(f"Expected a package that can be loaded. Received: {type(error).__name__}."))
        finally:
            self._looking.release()

    def _reload(self) -> None:
        if self._store is None:
            raise errors.NoStore("Expected a store. Received: none.")
        promotion = promotions.latest(self._store)
        serving = self._serving
        if promotion is None or (serving and serving.promotion and serving.promotion.number >= promotion.number):
            return
        if serving and isinstance(serving.model, Classifier) and serving.model.identity.sha256 == promotion.sha256:
            classifier = serving.model
        else:
            classifier = models.load(self._store, promotion.version, self._settings.interpreters, promotion.sha256)
        self._swap(Serving(classifier, promotion, _now()))

    def _swap(self, new: Serving) -> None:
        """Let `new` serve, unless a later promotion already does."""
        with self._swapping:
            if self._serving is not None and _number(self._serving) >= _number(new):
                return
            self._serving = new
            if isinstance(new.model, Classifier):
                self._metrics.show_model(new.model.identity, new.model.manifest)
        if new.promotion is not None:
            fields = {"model_version": new.promotion.version, "promotion": new.promotion.number, "source": new.promotion.source}
            LOGGER.info("model activated", extra={"fields": fields})

    def _installed(self) -> Classifier | errors.ServiceError:
        try:
            return package.load(self._settings.model, self._settings.interpreters)
        except errors.ModelUnavailable as error:
            return error

    def _note(self, error: errors.PneumoniaError) -> None:
        self.last_error = contract.ReloadError(at=_now(), code=error.code, detail=str(error))
        self._metrics.count_reload_error(error.code)
        LOGGER.error("cannot reload", extra={"fields": {"code": error.code, "detail": str(error)}})


def promote_proven(store: Store, version: str, reason: str, settings: Settings, before: str | None = None) -> tuple[Classifier, Promotion]:
    """Load a version of the store, let it pass its self-test, and only then promote it.

    The model that the service was started with is brought into the store when it is the one asked for: the way back from a first promotion.
    A version that is already active gets no second entry, so that a request whose answer was lost may be sent again.

    Raises:
        errors.UnknownVersion: neither the store nor the installation has it.
        errors.PackageRefused: it cannot be loaded or fails its self-test.
        errors.StoreUnavailable: the store does not answer.
    """
    try:
        identity = models.find(store, version, settings.model)
        classifier = models.load(store, version, settings.interpreters, identity.sha256)
    except errors.ModelUnavailable as error:
        raise errors.PackageRefused(f"Cannot activate {version}. {error}") from error
    last = promotions.latest(store)
    if last is not None and (last.version, last.sha256) == (version, identity.sha256):
        return classifier, last
    return classifier, promotions.promote(store, identity, promotions.BY_HAND, reason, before)


def overview(store: Store, installed: Path, serving: contract.ModelIdentity | None = None) -> contract.Models:
    """Return what `/models` says: the versions that may be activated, the one that counts, and the last promotions.

    Raises:
        errors.StoreUnavailable: the store does not answer.
        errors.ModelUnavailable: a promotion cannot be read.
    """
    history = promotions.history(store, _PROMOTIONS_SHOWN)
    own = models.installed_version(installed)
    return contract.Models(
        serving=serving,
        active=history[0] if history else None,
        versions=tuple(sorted({*models.versions(store), *([own] if own else [])})),
        promotions=tuple(history),
    )


def _number(serving: Serving) -> int:
    return serving.promotion.number if serving.promotion else 0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
