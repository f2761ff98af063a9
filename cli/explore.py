"""`pneumonia explore`: one page that says what is in a data set. Needs the training extra."""

import argparse
import os
import sys
from pathlib import Path

from cli import recipe, resuming

STANDARD_OUTPUT = "-"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explore",
        help="look at a data set: classes, patients, duplicates, leakage, shortcuts",
        description="Look at data sets before anything is learned from them, and write one page with figures. Each DATASET is a folder "
        "with one folder per class (NORMAL, PNEUMONIA), or with parts (train, val, test) that have them.",
        epilog="Exit status: 0 all files were read, 1 some could not be, 2 nothing could be done.",
    )
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET", help="folder of pictures; several are compared for leakage")
    parser.add_argument("--out", type=Path, default=Path("explore.html"), metavar="FILE", help="the page (default: explore.html)")
    parser.add_argument("--json", metavar="FILE", help="also write all figures as JSON; - for standard output")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="threads that decode (default: one a processor)"
    )
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explore, write, and say the essentials; return 1 where files could not be read."""
    import msgspec

    from training import errors, explore, reports

    if arguments.workers < 1:
        raise errors.InvalidOption(f"Expected --workers of at least 1. Received: {arguments.workers}.")
    to_terminal = arguments.json == STANDARD_OUTPUT
    targets = [arguments.out, *([Path(arguments.json)] if arguments.json and not to_terminal else [])]
    for target in targets:
        reports.check(target)
    with resuming.kept("explore", arguments.datasets) as kept:
        exploration = explore.explore(arguments.datasets, arguments.workers, kept=kept)
        reports.write(arguments.out, explore.page(exploration).encode())
        found = exploration.findings
        record = msgspec.json.format(msgspec.json.encode(found), indent=2)
        if arguments.json and not to_terminal:
            reports.write(Path(arguments.json), record + b"\n")
    arguments.record = record
    if to_terminal:
        print(record.decode())
    told = sys.stderr if to_terminal else sys.stdout
    for note in found.notes:
        print(f"note: {note.code}: {note.text}", file=told)
    for file in found.unreadable:
        print(f"unreadable: {file.part}/{file.path}: {file.code}: {file.reason}", file=told)
    for title in explore.HEADLINES:
        print(f"{title}: {found.sentences[title][0]}", file=told)
    for target in targets:
        print(f"wrote {target}", file=told)
    return 1 if found.unreadable else 0
