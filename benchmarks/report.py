"""What the benchmarks share: rows of figures as a table and as JSON, the machine they come from, a line of progress."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Row = Mapping[str, str | int | float | None]


def machine() -> dict[str, str | int | float]:
    """Say on what the figures were measured, and how busy it was before: other work makes both sides slower, seldom equally."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (in [0, 1]) of all values do not pass: the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def print_table(rows: Sequence[Row]) -> None:
    """Print rows with the same keys as a table: text to the left, numbers to the right, nothing for None."""
    heads = list(rows[0])
    cells = [[_show(row[head]) for head in heads] for row in rows]
    widths = [max(len(line[column]) for line in (heads, *cells)) for column in range(len(heads))]
    left = [isinstance(rows[0][head], str) for head in heads]
    for line in (heads, *cells):
        shown = (cell.ljust(width) if text else cell.rjust(width) for cell, width, text in zip(line, widths, left, strict=True))
        print("  ".join(shown).rstrip())


def print_machine(where: Mapping[str, object]) -> None:
    """Print what `machine` says."""
    print("Machine: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in where.items()))


def write_json(file: Path | None, result: Mapping[str, object]) -> None:
    """Write a result where a file was asked for."""
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def step(text: str) -> None:
    """Print one line of progress; the figures alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def track(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Yield items and show how far it is: a line that moves on a terminal, one line a tenth elsewhere."""
    moving, tenth = sys.stderr.isatty(), max(1, total // 10)
    for number, item in enumerate(items, 1):
        yield item
        if moving or number % tenth == 0 or number == total:
            print(f"{label}: {number}/{total}", end="\r" if moving and number < total else "\n", file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """Read a command line's whole number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1. Received: {text!r}")
    return int(text)


def _show(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def _processor() -> str:
    """Return the processor's name; `platform` knows it on no Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
