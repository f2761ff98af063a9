"""`pneumonia drift`: whether the probabilities that were recorded are spread as when the model was measured, day by day."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.drift import Reference
    from core.manifest import Manifest
    from core.settings import Settings
    from core.store import Store

TOO_FEW, NO_REFERENCE = "too few", "no reference"


class Row(NamedTuple):
    """One day of one version. `psi` and `by_chance` are None where its package has no reference.

    `pictures` got a probability, `rejected` were refused by the guard; `distance_psi` is of the distances of both.
    """

    day: str
    version: str
    pictures: int
    psi: float | None
    by_chance: float | None
    verdict: str
    rejected: int = 0
    distance_psi: float | None = None
    distance_verdict: str = NO_REFERENCE


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "drift",
        help="compare recorded probabilities with those that the model was measured with",
        description="Population stability index of the probability and of the guard's distance, a row for each day and version. Below "
        "0.1 stable, up to 0.25 moderate, above shifted (Siddiqi, Credit Risk Scorecards, 2006); `too few` where a sample of that size "
        "gives as much by chance.",
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
        heading = f"{'DAY':<10}  {'VERSION':<16}  {'PICTURES':>8}  {'PSI':>6}  {'BY CHANCE':>9}  {'VERDICT':<12}"
        print(f"{heading}  {'REJECTED':>8}  {'DISTANCE PSI':>12}  VERDICT" if days else "no records")
    for row in _rows(store, given, days, unreadable):
        if arguments.json:
            print(msgspec.json.encode(row._asdict()).decode())
            continue
        psi, chance = (("-" if value is None else f"{value:.3f}") for value in (row.psi, row.by_chance))
        far = "-" if row.distance_psi is None else f"{row.distance_psi:.3f}"
        print(
            f"{row.day:<10}  {row.version:<16}  {row.pictures:>8}  {psi:>6}  {chance:>9}  {row.verdict:<12}  "
            f"{row.rejected:>8}  {far:>12}  {row.distance_verdict}"
        )
    for day, lines in unreadable.items():
        print(f"error: unreadable_record: Expected records of {day}. Received: {lines} lines that are none.", file=sys.stderr)
    return 1 if unreadable else 0


def _rows(store: "Store", settings: "Settings", days: list[str], unreadable: "Counter[str]") -> Iterator[Row]:
    from core import drift, records

    manifests: dict[str, Manifest | None] = {}
    for day in days:
        given: dict[str, list[float]] = {}
        distances: dict[str, list[float]] = {}
        rejected: Counter[str] = Counter()
        for record in records.read(store, day):
            if record is None:
                unreadable[day] += 1
                continue
            if record.probability is None:
                rejected[record.version] += 1
            else:
                given.setdefault(record.version, []).append(record.probability)
            if record.guard_distance is not None:
                distances.setdefault(record.version, []).append(record.guard_distance)
        for version in sorted({*given, *rejected}):
            if version not in manifests:
                manifests[version] = _manifest(store, settings, version)
            of, found = manifests[version], given.get(version, [])
            psi, chance, verdict = _judged(drift.count(found), drift.reference(of.metrics) if of else None)
            guard = of.guard if of else None
            bins = drift.count_distances(distances.get(version, []), guard) if guard else []
            far, _, far_verdict = _judged(bins, drift.distance_reference(guard))
            yield Row(day, version, len(found), psi, chance, verdict, rejected[version], far, far_verdict)


def _judged(bins: list[int], reference: "Reference | None") -> tuple[float | None, float | None, str]:
    """Return the index, what chance gives, and the verdict."""
    from core import drift

    if reference is None:
        return None, None, NO_REFERENCE
    if not sum(bins):
        return None, None, TOO_FEW
    psi, chance = drift.psi(bins, reference), drift.by_chance(sum(bins), reference)
    said = drift.verdict(psi)
    return round(psi, 4), round(chance, 4), TOO_FEW if said != "stable" and psi < chance else said


def _manifest(store: "Store", settings: "Settings", version: str) -> "Manifest | None":
    """Return what a version was measured with: from the store, or from the installation where it is that one."""
    from core import errors, manifest, models, package

    try:
        return models.manifest(store, version)[0]
    except (errors.UnknownVersion, errors.ModelUnavailable):
        return manifest.read(package.locate(settings.model))[0] if models.installed_version(settings.model) == version else None
