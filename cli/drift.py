"""`pneumonia drift`: whether the probabilities that were recorded are spread as when the model was measured, day by day."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.drift import Reference
    from core.settings import Settings
    from core.store import Store

TOO_FEW, NO_REFERENCE = "too few", "no reference"


class Row(NamedTuple):
    """One day of one version. `psi` and `by_chance` are None where its package has no reference."""

    day: str
    version: str
    pictures: int
    psi: float | None
    by_chance: float | None
    verdict: str


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "drift",
        help="compare recorded probabilities with those that the model was measured with",
        description="Population stability index of the probability, a row for each day and version. Below 0.1 stable, up to 0.25 moderate, "
        "above shifted (Siddiqi, Credit Risk Scorecards, 2006); `too few` where a sample of that size gives as much by chance.",
    )
    parser.add_argument("--store", metavar="URL", help="the store (default: PNEUMONIA_STORE)")
    parser.add_argument("--days", type=int, default=30, metavar="N", help="the last N days that have records (default: 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a row for each day and version; return 1 where lines could not be read."""
    import msgspec

    from core import errors, records, settings
    from core.store import open_store

    given = settings.read({**os.environ, **({"PNEUMONIA_STORE": arguments.store} if arguments.store else {})})
    if given.store is None:
        raise errors.NoStore("Expected --store or PNEUMONIA_STORE. Received: neither.")
    store = open_store(given.store)
    days = records.days(store)[-max(arguments.days, 1) :]
    unreadable: Counter[str] = Counter()
    if not arguments.json:
        print(f"{'DAY':<10}  {'VERSION':<16}  {'PICTURES':>8}  {'PSI':>6}  {'BY CHANCE':>9}  VERDICT" if days else "no records")
    for row in _rows(store, given, days, unreadable):
        if arguments.json:
            print(msgspec.json.encode(row._asdict()).decode())
            continue
        psi, chance = (("-" if value is None else f"{value:.3f}") for value in (row.psi, row.by_chance))
        print(f"{row.day:<10}  {row.version:<16}  {row.pictures:>8}  {psi:>6}  {chance:>9}  {row.verdict}")
    for day, lines in unreadable.items():
        print(f"error: unreadable_record: Expected records of {day}. Received: {lines} lines that are none.", file=sys.stderr)
    return 1 if unreadable else 0


def _rows(store: "Store", settings: "Settings", days: list[str], unreadable: "Counter[str]") -> Iterator[Row]:
    from core import drift, records

    references: dict[str, Reference | None] = {}
    for day in days:
        counts: dict[str, list[int]] = {}
        for record in records.read(store, day):
            if record is None:
                unreadable[day] += 1
                continue
            counts.setdefault(record.version, [0] * len(drift.BOUNDS))[drift.bin_of(record.probability)] += 1
        for version, bins in sorted(counts.items()):
            if version not in references:
                references[version] = _reference(store, settings, version)
            yield _row(day, version, bins, references[version])


def _row(day: str, version: str, bins: list[int], reference: "Reference | None") -> Row:
    from core import drift

    pictures = sum(bins)
    if reference is None:
        return Row(day, version, pictures, None, None, NO_REFERENCE)
    psi, chance = drift.psi(bins, reference), drift.by_chance(pictures, reference)
    said = drift.verdict(psi)
    verdict = TOO_FEW if said != "stable" and psi < chance else said
    return Row(day, version, pictures, round(psi, 4), round(chance, 4), verdict)


def _reference(store: "Store", settings: "Settings", version: str) -> "Reference | None":
    """Return what a version was measured with: from the store, or from the installation where it is that one."""
    from core import drift, errors, manifest, models, package

    try:
        return drift.reference(models.manifest(store, version)[0].metrics)
    except (errors.UnknownVersion, errors.ModelUnavailable):
        if models.installed_version(settings.model) != version:
            return None
        return drift.reference(manifest.read(package.locate(settings.model))[0].metrics)
