"""`pneumonia compare`: architectures in one table, in the terminal, as a page and as JSON. Needs the training extra."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import console, recipe


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare",
        help="compare architectures: figures, parameters, size and speed",
        description="Compare model packages and finished cross-validations; with --config cross-validate those recipes on --data first.",
    )
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="a model package, or the work folder of `pneumonia crossval`"
    )
    parser.add_argument("--config", action="append", type=Path, default=[], metavar="FILE", help="a recipe to cross-validate; repeatable")
    parser.add_argument("--data", type=Path, metavar="DATASET", help="what to cross-validate on")
    parser.add_argument("--folds", type=int, default=5, metavar="INT", help="(default: 5)")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), metavar="FOLDER", help="(default: runs/compare)")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Cross-validate what is asked for, and compare."""
    if not arguments.folders and not arguments.config:
        print("error: nothing_to_compare: Expected FOLDER or --config. Received: neither.", file=sys.stderr)
        return 2
    if arguments.config and not arguments.data:
        print("error: invalid_option: Expected --data DATASET beside --config. Received: --config alone.", file=sys.stderr)
        return 2
    import msgspec

    console.show_training()
    from training import compare, disk

    rows = compare.collect([*arguments.folders, *_validated(arguments)])
    table = arguments.record = msgspec.json.encode({"models": rows})
    with disk.writing(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "comparison.json").write_bytes(msgspec.json.format(table, indent=2) + b"\n")
        (arguments.out / "comparison.html").write_text(compare.render(rows), encoding="utf-8")
    if arguments.json:
        print(table.decode())
        return 0
    _print(compare.HEADING, [compare.cells(row) for row in rows])
    print("", *compare.sentences(rows), f"wrote {arguments.out / 'comparison.html'}", sep="\n")
    return 0


def _validated(arguments: argparse.Namespace) -> list[Path]:
    """Cross-validate each recipe in a folder of its own below --out, all looked at first: what is wrong shows before hours are spent."""
    from training import crossval
    from training.configuration import read

    recipes = {arguments.out / file.stem: read(file, {}) for file in arguments.config}
    for configuration in recipes.values():
        crossval.refuse(configuration)
    journal = recipe.journal(arguments)
    for work, configuration in recipes.items():
        crossval.validate(arguments.data, crossval.Request(configuration, arguments.folds, work, work.name), journal)
    return list(recipes)


def _print(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for line in (tuple(word.upper() for word in heading), *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
