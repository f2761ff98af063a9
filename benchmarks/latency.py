"""Warm `Service.handle` on JPEGs of about 1.8 megapixels, beside bare Pillow decode + resize + LiteRT invoke of the same network.

    python -m benchmarks.latency [--pictures FOLDER] [--repetitions 50] [--require 1.3] [--json FILE]

One thread; each repetition takes all three paths over all pictures, in an order that moves on by one. The claim is held against the bare
path as most write it, without Pillow's `draft`. Core decodes large JPEGs with it, so the ratio to a bare path that does the same is shown
too: it is the stricter one, and says what our checks, the answer, its log line and counters cost.
"""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from time import perf_counter

from benchmarks import pictures, report
from benchmarks.bare import Bare, find_package
from benchmarks.stages import looked_twice, time_stages
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Request, Response
from core.errors import InvalidSettings

HANDLE, BARE, BARE_DRAFT = "Service.handle", "bare", "bare with draft"
MILLISECONDS = 1000.0
SEEDS = 200
"""As many phantoms are drawn at most, to find those that are answered at the first look."""


class Refused(Exception):
    """The service did not answer a picture with 200."""


def make_handle(service: Service) -> Callable[[bytes], Response]:
    """Return a function from a JPEG to the service's answer, as a door calls it."""

    def handle(data: bytes) -> Response:
        headers = {"content-type": "image/jpeg", "content-length": str(len(data))}
        response = service.handle(Request(method="POST", path="/predict", query={}, headers=headers, body=io.BytesIO(data)))
        if response.status != 200:
            raise Refused(response.body.decode())
        return response

    return handle


def measure(paths: Mapping[str, Callable[[bytes], object]], jpegs: Sequence[bytes], repetitions: int) -> dict[str, list[float]]:
    """Return the milliseconds of each path, one value a picture and repetition; the first round is not counted.

    Raises:
        Refused: a picture got no answer.
    """
    taken: dict[str, list[float]] = {name: [] for name in paths}
    names = list(paths)
    for turn in report.track(range(repetitions + 1), repetitions + 1, "repetitions"):
        for data in jpegs:
            shift = turn % len(names)
            for name in (*names[shift:], *names[:shift]):
                start = perf_counter()
                paths[name](data)
                seconds = perf_counter() - start
                if turn > 0:
                    taken[name].append(seconds * MILLISECONDS)
    return taken


def summarise(taken: Mapping[str, Sequence[float]]) -> list[report.Row]:
    """Return a row a path: median, 95th percentile, and how many times its median handle takes."""
    medians = {name: report.median(values) for name, values in taken.items()}
    return [
        {
            "path": name,
            "median ms": medians[name],
            "p95 ms": report.percentile(values, 0.95),
            "handle / this": medians[HANDLE] / medians[name],
        }
        for name, values in taken.items()
    ]


def draw_decided(package: Path, handle: Callable[[bytes], Response], count: int, side_px: int) -> list[bytes]:
    """Return the first phantoms that are answered at the first look, as nearly all pictures of patients are.

    A network that knows patients is in doubt about drawings, and a picture near a threshold is decoded and asked about twice.

    Raises:
        FileNotFoundError: there are not as many among the first SEEDS.
    """
    drawn = (pictures.draw(seed, side_px) for seed in range(SEEDS))
    found = list(islice((data for data in drawn if not looked_twice(package, handle(data))), count))
    if len(found) < count:
        raise FileNotFoundError(f"Expected {count} phantoms that are answered at the first look. Received: {len(found)} of {SEEDS}.")
    return found


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="time its JPEG files (default: phantoms)")
    parser.add_argument("--phantoms", type=report.positive, default=4, help="how many phantoms to draw (default: %(default)s)")
    parser.add_argument("--side-px", type=report.positive, default=pictures.SIDE_PX, help="side of a phantom (default: %(default)s)")
    parser.add_argument("--repetitions", type=report.positive, default=50, help="rounds over all pictures (default: %(default)s)")
    parser.add_argument("--require", type=float, default=1.3, help="largest handle / bare allowed; 0 asks nothing (default: 1.3)")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="another model package than the service's own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 where the claim does not hold, 2 where nothing could be measured."""
    arguments = read_arguments(argv)
    where = report.machine()
    folder: Path | None = arguments.pictures
    try:
        package = find_package(arguments.model)
        # Log lines are written, as in service, but not onto the table.
        with Path(os.devnull).open("w") as nowhere:
            with contextlib.redirect_stderr(nowhere):
                service = bootstrap({**os.environ, "PNEUMONIA_MODEL": str(package)})
            handle, bare = make_handle(service), Bare(package)
            jpegs = pictures.read(folder) if folder else draw_decided(package, handle, arguments.phantoms, arguments.side_px)
            if not jpegs:
                raise FileNotFoundError(f"Expected JPEG files in {folder}. Received: none.")
            paths: dict[str, Callable[[bytes], object]] = {HANDLE: handle}
            paths |= {BARE: partial(bare.answer, draft=False), BARE_DRAFT: partial(bare.answer, draft=True)}
            taken = measure(paths, jpegs, arguments.repetitions)
            stages = time_stages(package, handle, jpegs, arguments.repetitions)
            twice = sum(looked_twice(package, handle(data)) for data in jpegs)
    except (FileNotFoundError, InvalidSettings, Refused) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows, ratio = summarise(taken), report.median(taken[HANDLE]) / report.median(taken[BARE])
    megapixels = round(report.median([pictures.megapixels(data) for data in jpegs]), 2)
    sizes = {"pictures": len(jpegs), "of_these_looked_at_twice": twice, "megapixels_median": megapixels}
    report.write_json(arguments.json, {"machine": where, **sizes, "rows": rows, "stages": stages, "milliseconds": taken})
    report.print_machine({**where, **sizes})
    report.print_table(rows)
    print()
    report.print_table(stages)
    if arguments.require and ratio > arguments.require:
        print(f"Expected handle to take at most {arguments.require:g} times the bare path without draft. Received: {ratio:.2f} times.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
