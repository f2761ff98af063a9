"""`pneumonia phantom`: writes synthetic chests to try things with: one, or a small labelled data set to retrain on."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.phantom import Opacity

LABELS = ("normal", "bacterial-pneumonia", "normal", "viral-pneumonia")
"""By turns: as many normal chests as ill ones. Names of folders, as `pneumonia upload` takes them for labels."""
_MOST = 10_000


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "phantom",
        help="write synthetic chest X-rays (no patient) as JPEG files",
        description="Write a synthetic chest X-ray (no patient) as a JPEG file; or with --labelled a folder of them, half normal, half "
        "with shadows drawn into the lungs, in a folder for each label. They show how things work; of patients they teach nothing.",
    )
    parser.add_argument("place", type=Path, metavar="PLACE", help="the file, or with --labelled the folder, to write; not there yet")
    parser.add_argument("--seed", type=int, help="varies the drawing (default: the sample picture's; 0 with --labelled)")
    parser.add_argument("--labelled", type=_count, metavar="COUNT", help=f"so many pictures in {', '.join(dict.fromkeys(LABELS))}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the phantoms; refuse to overwrite."""
    from core import phantom  # NumPy and Pillow

    try:
        if arguments.labelled is None:
            with arguments.place.open("xb") as file:
                file.write(phantom.jpeg(phantom.SAMPLE if arguments.seed is None else arguments.seed))
        else:
            arguments.place.mkdir(parents=True)
            for label, number in _labelled(arguments.labelled):
                seed = (arguments.seed or 0) * _MOST + number
                folder = arguments.place / label
                folder.mkdir(exist_ok=True)
                (folder / f"phantom-{number:04d}.jpeg").write_bytes(phantom.jpeg(seed, _shadows(label, seed)))
    except OSError as error:
        print(f"error: cannot_write: Expected a place that can be written, and is not there yet. Received: {error}.", file=sys.stderr)
        return 2
    print(f"wrote {arguments.place}" + (f": {arguments.labelled} pictures" if arguments.labelled else ""))
    return 0


def _labelled(count: int) -> Iterator[tuple[str, int]]:
    return ((LABELS[number % len(LABELS)], number) for number in range(count))


def _shadows(label: str, seed: int) -> "tuple[Opacity, ...]":
    """Return what is drawn into the lungs: bacterial one dense shadow, viral faint ones on both sides; where exactly, the seed says."""
    from core.phantom import Opacity

    right, low = bool(seed & 8), 0.02 * (seed % 7)
    if label == "bacterial-pneumonia":
        return (Opacity(0.70 if right else 0.30, 0.42 + low, 0.20, 80.0),)
    if label == "viral-pneumonia":
        return (Opacity(0.30, 0.36 + low, 0.18, 45.0), Opacity(0.70, 0.36 + low, 0.18, 45.0))
    return ()


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= count <= _MOST:
        raise argparse.ArgumentTypeError(f"Expected a whole number from 1 to {_MOST}. Received: {text[:16]!r}.")
    return count
