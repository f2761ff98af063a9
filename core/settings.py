"""Everything that a deployment can set, read once by `core.bootstrap` and passed down; nothing else looks at the environment."""

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import msgspec

from core import errors
from core.images import MAX_PIXELS

_SECRETS = ("api_key", "admin_token")
AuthLevel = Literal["ANONYMOUS", "FUNCTION", "ADMIN"]
LauncherKind = Literal["none", "process", "cloud-run", "container-apps"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_MOST_PIXELS = 178_956_970
BAKED_MODEL = Path(__file__).resolve().parents[1] / "model"
"""Beside `core` in a checkout, in site-packages and in the image alike."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings with their defaults. Each is read from `PNEUMONIA_` and its name in capitals."""

    model: Path = BAKED_MODEL
    """Folder of the model package, or a folder that holds exactly one package."""
    api_key: str | None = None
    """Where set, the routes that predict or tell of models and retrainings want it as `X-API-Key`."""
    store: str | None = None
    """URL of what outlives an instance: `file:///…`, `az://…`, `gs://…` or `s3://…`."""
    admin_token: str | None = None
    """Where set, the routes that change something want it as `X-Admin-Token`; without it they are off."""
    extra_labels: Mapping[str, str | None] = {}
    """Labels that pictures may be uploaded under beside the model's own, with their SNOMED CT codes where given: new kinds."""
    refresh_s: int = 30
    """Seconds, at least, between two looks for a newly promoted model."""
    record_predictions: bool = False
    """Whether answers are kept in the store, without identifiers, for `pneumonia drift`."""
    launcher: LauncherKind = "none"
    """Who runs a retraining that was asked for; with none it waits until somebody runs `pneumonia retrain --job ID`."""
    launcher_job: str | None = None
    """Full name of the Cloud Run job or resource id of the Container Apps job."""
    launcher_url: str | None = None
    """Address of the service that starts jobs, where it is not the public one."""
    launcher_token_url: str | None = None
    """Address of the token service, where it is not the platform's."""
    retrain_command: str = "pneumonia retrain"
    """What runs a job; ` --job ID` is added. In a cloud the container's entry point takes the place of the first word."""
    job_stale_s: int = 600
    """Seconds without a sign of life after which a retraining counts as interrupted."""
    base_dataset: Path | None = None
    """Folder of a data set that every retraining learns from again, so that it does not forget."""
    gate_auroc_margin: float = 0.01
    """By how much the AUROC of a retrained model may be lower than that of the active one."""
    gate_sensitivity_margin: float = 0.02
    """By how much its sensitivity at the default operating point may be lower."""
    gate_specificity_margin: float = 0.05
    """By how much its specificity at the default operating point may be lower."""
    gate_guard: bool = True
    """Whether a model without a guard may not take the place of one that has one."""
    gate_min_pictures: int = 5
    """Held-out pictures of each class, normal and pneumonia, without which nothing is promoted."""
    retrain_epochs: int = 4
    """Passes over the pictures of a retraining."""
    max_body_mb: int = 32
    """Largest request body in MiB. Cloud Run takes 32 over HTTP/1."""
    max_pixels: int = MAX_PIXELS
    """Largest picture that is decoded, in pixels."""
    max_pictures: int = 64
    """Most pictures in one request."""
    max_request_pixels: int = 200_000_000
    """Most pixels in all pictures of one request together: what one caller may take of a processor."""
    interpreters: int = os.cpu_count() or 1
    """How many pictures go through the network at once."""
    azure_auth_level: AuthLevel = "FUNCTION"
    """Who may call the Function App's routes; the health routes are always open."""
    log_level: LogLevel = "INFO"
    """INFO logs one line a request."""

    @property
    def max_body_bytes(self) -> int:
        """`max_body_mb` in bytes."""
        return self.max_body_mb * 1024 * 1024


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Raises:
        errors.InvalidSettings: a value has the wrong form, or a `PNEUMONIA_` variable is not a setting.
    """
    known = {"PNEUMONIA_" + field.upper(): field for field in Settings.__struct_fields__}
    unknown = sorted(name for name in environ if name.startswith("PNEUMONIA_") and name not in known)
    if unknown:
        from difflib import get_close_matches  # for this sentence alone

        meant = sorted({match for name in unknown for match in get_close_matches(name, known, 1)})
        hint = f" (perhaps {', '.join(meant)} is meant)" if meant else ""
        raise errors.InvalidSettings(f"Unknown setting{hint}. Expected: {', '.join(sorted(known))}. Received: {', '.join(unknown)}.")
    # An empty value is no value, except for a secret: one that was not resolved must not leave the door open.
    given = {name: field for name, field in known.items() if environ.get(name) or (field in _SECRETS and name in environ)}
    values = {field: _PARSERS[field](name, environ[name]) for name, field in given.items()}
    return Settings(**values)  # type: ignore[arg-type]


def _secret(name: str, value: str) -> str:
    if not value or value != value.strip() or not value.isascii():
        raise errors.InvalidSettings(f"Invalid {name}: Expected ASCII without blanks around it. Received: something else, or nothing.")
    return value


_LABEL = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9 -]{0,62}[A-Za-z0-9])?)(?:=([1-9][0-9]{5,17}))?")
_SWITCH = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False}
_SCHEMES = ("file", "az", "gs", "s3")


def _store_url(name: str, value: str) -> str:
    scheme, found, rest = value.partition("://")
    if scheme not in _SCHEMES or not found or not rest.strip("/"):
        raise errors.InvalidSettings(f"Invalid {name}: Expected file:///…, az://…, gs://… or s3://…. Received: {value[:64]!r}.")
    return value


def _labels(name: str, value: str) -> Mapping[str, str | None]:
    found = [_LABEL.fullmatch(label.strip()) for label in value.split(",")]
    labels = {label[1]: label[2] for label in found if label}
    if len(labels) < len(found):
        raise errors.InvalidSettings(
            f"Invalid {name}: Expected different names with commas between them, of letters, digits, blanks and hyphens, each alone or as "
            f"NAME=CODE with a SNOMED CT code of 6 to 18 digits. Received: {value[:64]!r}."
        )
    return labels


def _folder(_name: str, value: str) -> Path:
    return Path(value)


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) >= 1):
        raise errors.InvalidSettings(f"Invalid {name}: Expected a whole number from 1 to 999999999. Received: {value[:16]!r}.")
    return int(value)


def _margin(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise errors.InvalidSettings(f"Invalid {name}: Expected a number from 0 to 1. Received: {value[:16]!r}.")
    return number


def _text(_name: str, value: str) -> str:
    return value


def _launcher(name: str, value: str) -> str:
    if value not in get_args(LauncherKind):
        raise errors.InvalidSettings(f"Invalid {name}: Expected one of {', '.join(get_args(LauncherKind))}. Received: {value[:32]!r}.")
    return value


def _command(name: str, value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError:
        words = []
    if not words:
        raise errors.InvalidSettings(f"Invalid {name}: Expected a command line. Received: {value[:64]!r}.")
    return value


def _pixels(name: str, value: str) -> int:
    count = _count(name, value)
    if count > _MOST_PIXELS:
        raise errors.InvalidSettings(f"Invalid {name}: Expected at most {_MOST_PIXELS}, where Pillow refuses. Received: {value!r}.")
    return count


def _switch(name: str, value: str) -> bool:
    if value.lower() not in _SWITCH:
        raise errors.InvalidSettings(f"Invalid {name}: Expected one of {', '.join(_SWITCH)}. Received: {value!r}.")
    return _SWITCH[value.lower()]


def _choice(options: tuple[str, ...]) -> Callable[[str, str], str]:
    def parse(name: str, value: str) -> str:
        if value.upper() not in options:
            raise errors.InvalidSettings(f"Invalid {name}: Expected one of {', '.join(options)}. Received: {value!r}.")
        return value.upper()

    return parse


_PARSERS: Mapping[str, Callable[[str, str], object]] = {
    "model": _folder,
    "api_key": _secret,
    "store": _store_url,
    "admin_token": _secret,
    "extra_labels": _labels,
    "refresh_s": _count,
    "record_predictions": _switch,
    "launcher": _launcher,
    "launcher_job": _text,
    "launcher_url": _text,
    "launcher_token_url": _text,
    "retrain_command": _command,
    "job_stale_s": _count,
    "base_dataset": _folder,
    "gate_auroc_margin": _margin,
    "gate_sensitivity_margin": _margin,
    "gate_specificity_margin": _margin,
    "gate_guard": _switch,
    "gate_min_pictures": _count,
    "retrain_epochs": _count,
    "max_body_mb": _count,
    "max_pixels": _pixels,
    "max_pictures": _count,
    "max_request_pixels": _count,
    "interpreters": _count,
    "azure_auth_level": _choice(get_args(AuthLevel)),
    "log_level": _choice(get_args(LogLevel)),
}
