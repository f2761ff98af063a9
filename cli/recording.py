"""Commands that look or rewrite, in MLflow where somebody says where: what they were asked, and what came of it. Called by `cli.main`.

`train`, `crossval` and `retrain` record themselves, epoch by epoch. Nothing is recorded by default here: a look at a folder must not cost
an import of MLflow and a database. No picture is sent, and no page, since pages may show pictures.
"""

import argparse
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any, Final

COMMANDS: Final = ("explore", "evaluate", "calibrate", "package", "export", "compare")
VARIABLE: Final = "MLFLOW_TRACKING_URI"
_FAILED: Final = 2  # exit status of a command that could not be carried out
_OURS: Final = ("command", "run", "record", "tracking")


def run(arguments: argparse.Namespace) -> int:
    """Run the parsed command and record it where that is asked for; what it leaves in `arguments.record` is its report as JSON."""
    where = getattr(arguments, "tracking", None) or os.environ.get(VARIABLE)
    if arguments.command not in COMMANDS or not where:
        return int(arguments.run(arguments))
    from training.tracking import Journal

    recorded = Journal(where).find(arguments.command, uuid.uuid4().hex, _asked(arguments), {"command": arguments.command})
    with recorded.going():
        code = int(arguments.run(arguments))
    reports = _reports(arguments) if code != _FAILED else {}
    for data in reports.values():
        recorded.record(_figures(data))
    if reports:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in reports.items():
                (Path(folder) / name).write_bytes(data)
            recorded.keep(Path(folder), "report")
    recorded.finish(well=code != _FAILED)
    return code


def _asked(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the options; of a path its last name, since where it lay says nothing to anybody else."""
    given = {name: value for name, value in vars(arguments).items() if name not in _OURS and value is not None}
    return {name: ", ".join(map(_text, value)) if isinstance(value, list) else _text(value) for name, value in given.items()}


def _text(value: object) -> str:
    return value.resolve().name if isinstance(value, Path) else str(value)


def _reports(arguments: argparse.Namespace) -> dict[str, bytes]:
    """Return what the command found as JSON, and the manifest of the package that it wrote."""
    from core.manifest import MANIFEST_FILE

    record, manifest = getattr(arguments, "record", None), getattr(arguments, "out", None)
    found = {f"{arguments.command}.json": record} if record is not None else {}
    if manifest is not None and (manifest / MANIFEST_FILE).is_file():
        found[MANIFEST_FILE] = (manifest / MANIFEST_FILE).read_bytes()
    return found


def _figures(data: bytes) -> dict[str, float]:
    """Return the measured figures of a report or manifest: numbers, and values that stand with their interval."""
    import msgspec

    metrics: Any = msgspec.json.decode(data).get("metrics")
    measured = {name: each.get("value") if isinstance(each, dict) else each for name, each in (metrics or {}).items()}
    return {name: float(each) for name, each in measured.items() if isinstance(each, int | float) and not isinstance(each, bool)}
