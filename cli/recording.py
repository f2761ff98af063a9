"""Commands that look or rewrite, in MLflow: what they were asked, and what came of it. Called by `cli.main`.

`train`, `crossval` and `retrain` record themselves, epoch by epoch. Here a command is recorded after it has said and written all that it
found, so that nobody waits for MLflow before the answer, and nothing that goes wrong there can cost one. No picture is sent, and no
page, since pages may show pictures.
"""

import argparse
import contextlib
import re
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cli import recipe

COMMANDS: Final = ("explore", "fetch-data", "evaluate", "calibrate", "package", "export", "guard", "compare")
_FAILED: Final = 2  # exit status of a command that could not be carried out
_INTERRUPTED: Final = 130  # and of one that was stopped
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_OURS: Final = ("command", "run", "record", "tracking")


def run(arguments: argparse.Namespace, carry_out: Callable[[argparse.Namespace], int]) -> int:
    """Carry out the parsed command, then record it; what it leaves in `arguments.record` is its report as JSON. Return its exit status."""
    started = time.monotonic()
    code = carry_out(arguments)
    if arguments.command in COMMANDS:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        _record(arguments, code, time.monotonic() - started)
    return code


def _record(arguments: argparse.Namespace, code: int, seconds: float) -> None:
    from training import tracking

    recorded = recipe.journal(arguments).find(arguments.command, uuid.uuid4().hex, _asked(arguments), {"command": arguments.command})
    recorded.record({"seconds": seconds})
    status = {_FAILED: tracking.FAILED, _INTERRUPTED: tracking.KILLED}.get(code, tracking.FINISHED)
    for name, data in (_reports(arguments) if status == tracking.FINISHED else {}).items():
        recorded.record(_figures(data))
        recorded.keep_text(data.decode(), f"report/{name}")
    recorded.finish(status)


def _asked(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the options; of a path its last name, since where it lay says nothing to anybody else."""
    given = {name: value for name, value in vars(arguments).items() if name not in _OURS and value is not None}
    return {name: ", ".join(map(_text, value)) if isinstance(value, list) else _text(value) for name, value in given.items()}


def _text(value: object) -> str:
    """Return an option as it is recorded: of a path its last name, of an address neither password nor query."""
    if isinstance(value, Path):
        return value.resolve().name
    text = str(value)
    if not _ADDRESS.match(text):
        return text
    parts = urllib.parse.urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reports(arguments: argparse.Namespace) -> dict[str, bytes]:
    """Return what the command found as JSON, and the manifest of the package that it wrote."""
    from core.manifest import MANIFEST_FILE, is_package

    record, manifest = getattr(arguments, "record", None), getattr(arguments, "out", None)
    found = {f"{arguments.command}.json": record} if record is not None else {}
    if manifest is not None and is_package(manifest):
        found[MANIFEST_FILE] = (manifest / MANIFEST_FILE).read_bytes()
    return found


def _figures(data: bytes) -> dict[str, float]:
    """Return the measured figures of a report or manifest: numbers, and values that stand with their interval."""
    import msgspec

    metrics: Any = msgspec.json.decode(data).get("metrics")
    measured = {name: each.get("value") if isinstance(each, dict) else each for name, each in (metrics or {}).items()}
    return {name: float(each) for name, each in measured.items() if isinstance(each, int | float) and not isinstance(each, bool)}
