"""What a model package carries for people, beside its network: the card, the figures and tables of its report.

Read when somebody asks, from where the package came from, and held against the manifest's digest each time: they take no memory, and a file
that was changed under a running service is refused. The routes hand out drawings and text only: the one kind of raster image that a package
can hold shows patients, and whoever put it there meant the package's readers, not the callers of a service (decision 18).
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from core import errors, package
from core.classifier import Classifier
from core.contract import Answer, ModelIdentity, Request
from core.endpoints import Endpoints, Outcome, as_json
from core.manifest import Manifest, Sha256

CARD_FILE: Final = "CARD.md"
_FOLDER: Final = "report"
_HISTORY_FILE: Final = "history.csv"  # lies beside the folder, and is what its training curves are drawn from
_MARKDOWN: Final = "text/markdown; charset=utf-8"
_MEDIA_TYPES: Final[Mapping[str, str]] = {".svg": "image/svg+xml", ".csv": "text/csv; charset=utf-8", ".md": _MARKDOWN}
# A drawing may hold a script or reach out. Opened by itself it must do neither: no source of anything, and an origin of its own.
_INERT: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"}


class ReportFile(Answer, frozen=True, kw_only=True):
    """One file of a package's report."""

    name: str
    media_type: str
    sha256: Sha256


class Report(Answer, frozen=True, kw_only=True):
    """What the model that serves carries for people; `card` says whether `/model/card` has one."""

    model: ModelIdentity
    card: bool
    files: tuple[ReportFile, ...]


def card(endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give the model card as Markdown."""
    classifier, read = _package(endpoints)
    if CARD_FILE not in classifier.manifest.files:
        raise errors.UnknownFile(f"Expected a model package with {CARD_FILE}. Received: {classifier.identity.version}, which has none.")
    return Outcome(_checked(read, classifier.manifest, CARD_FILE), _MARKDOWN, headers=_INERT)


def report(endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Tell which files the report has."""
    classifier, _ = _package(endpoints)
    files = classifier.manifest.files
    shown = (ReportFile(name=name, media_type=_media_type(name), sha256=files[path]) for name, path in _shown(classifier.manifest).items())
    return as_json(Report(model=classifier.identity, card=CARD_FILE in files, files=tuple(shown)))


def file(endpoints: Endpoints, request: Request, _request_id: str) -> Outcome:
    """Give one file of the report."""
    classifier, read = _package(endpoints)
    name, shown = request.parameters["file"], _shown(classifier.manifest)
    if name not in shown:
        raise errors.UnknownFile(f"Expected one of {', '.join(shown) or '(none)'}. Received: {name[:64]!r}.")
    return Outcome(_checked(read, classifier.manifest, shown[name]), _media_type(name), headers=_INERT)


def _package(endpoints: Endpoints) -> tuple[Classifier, package.Reader]:
    """Return the classifier that serves now and what reads the files of its package, or raise why there is none."""
    serving = endpoints.active.serving
    if isinstance(serving.model, Classifier):
        return serving.model, endpoints.active.reader(serving)
    raise serving.model


def _checked(read: package.Reader, manifest: Manifest, path: str) -> bytes:
    try:
        return package.checked(read, path, manifest.files[path])
    except OSError as error:
        raise errors.ModelUnavailable(f"Expected {path} where the model was loaded from. Received: {error.strerror}.") from error


def _shown(manifest: Manifest) -> Mapping[str, str]:
    """Return the files that may be handed out: their path in the package by their name."""
    paths = (PurePosixPath(name) for name in manifest.files)
    named = {path.name: str(path) for path in paths if str(path.parent) == _FOLDER and path.suffix in _MEDIA_TYPES}
    return {**named, _HISTORY_FILE: _HISTORY_FILE} if _HISTORY_FILE in manifest.files else named


def _media_type(name: str) -> str:
    return _MEDIA_TYPES[PurePosixPath(name).suffix]
