"""What the services of the contract's tests were given, and what a case is."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.contract import bodies
from tests.contract.doors import Ask

KEY = "a-key-of-the-tests"
TOKEN = "an-admin-token-of-the-tests"
ADMIN = {"X-Admin-Token": TOKEN}
BROKEN_VERSION = "6.6.6"  # what conftest puts into the store: loads, and fails its self-test
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={bodies.BOUNDARY}"}
JSON = {"Content-Type": "application/json"}

# What a deployment was given; one process a door and deployment. `{folder}` is a store of its own, with what `seed` puts there;
# `{store}` is one that all doors share; `{bare}` is a package without card and report, `{guarded}` one with a guard that knows phantoms.
STORE = {"PNEUMONIA_STORE": "{folder}", "PNEUMONIA_ADMIN_TOKEN": TOKEN, "PNEUMONIA_EXTRA_LABELS": "fungal pneumonia"}
DEPLOYMENTS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "small": {"PNEUMONIA_MAX_PICTURES": "2", "PNEUMONIA_API_KEY": KEY},
    "no-model": {"PNEUMONIA_MODEL": "nowhere"},
    "bare": {"PNEUMONIA_MODEL": "{bare}"},
    "invalid-settings": {"PNEUMONIA_MAX_PICTURES": "none"},
    "store": STORE | {"PNEUMONIA_LAUNCHER": "process", "PNEUMONIA_RETRAIN_COMMAND": "nowhere/pneumonia retrain"},
    "busy": STORE,
    "no-store": {"PNEUMONIA_ADMIN_TOKEN": TOKEN},
    "broken-store": STORE | {"PNEUMONIA_STORE": "file:///dev/null/store"},
    "store-without-token": {"PNEUMONIA_STORE": "{folder}"},
    "guarded": STORE | {"PNEUMONIA_MODEL": "{guarded}"},
    "living": {"PNEUMONIA_STORE": "{store}", "PNEUMONIA_ADMIN_TOKEN": TOKEN},
}


class Case(NamedTuple):
    """One request to one deployment. `code` is that of the problem, or of the first item that failed among several."""

    name: str
    ask: Ask
    status: int
    code: str | None = None
    media_type: str = "application/json"
    deployment: str = "default"
    verdict: str | None = None
    """Of the guard, on the first picture; a picture that it refuses has no `code`."""


def predict(body: bytes, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None, chunked: bool = False) -> Ask:
    return Ask("POST", "/predict", body, headers or {}, query or {}, chunked)


def seeded() -> bytes:
    """The picture that every store has already"""
    return bodies.encoded("WEBP", "RGB")


def seed(folder: Path, deployment: str) -> None:
    """Put a picture into a store that it then has already, as bacterial pneumonia; and where it is busy, a job."""
    if deployment == "busy":
        job = folder / "jobs" / "00000001"
        job.mkdir(parents=True)
        (job / "request.json").write_bytes(b'{"at":9999999999.0,"request_id":"r"}')  # of the year 2286: never stale
    sha256 = hashlib.sha256(seeded()).hexdigest()
    record = {"sha256": sha256, "label": "bacterial pneumonia", "format": "webp", "width_px": 512, "height_px": 512}
    place = folder / "uploads" / "bacterial-pneumonia"
    place.mkdir(parents=True)
    (place / f"{sha256}.webp").write_bytes(seeded())
    more = {"size_bytes": len(seeded()), "stored_at": "2026-01-01T00:00:00+00:00", "request_id": "seed"}
    (place / f"{sha256}.json").write_bytes(msgspec.json.encode(record | more))
