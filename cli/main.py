"""`pneumonia`: one command, its sub-commands a module each. What a command imports, only that command pays for."""

import argparse
import sys
from collections.abc import Sequence

import core
from cli import (
    calibrate,
    compare,
    crossval,
    drift,
    evaluate,
    explore,
    export,
    fetch_data,
    guard,
    models,
    package,
    phantom,
    predict,
    recording,
    retrain,
    smoke,
    train,
    upload,
)
from core import errors
from core.contract import NOTICE

_RESUME = ("train", "retrain", "crossval", "explore", "evaluate", "calibrate", "export", "fetch-data")
EXIT_OK, EXIT_SOME_FAILED, EXIT_CANNOT, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return 0, 1 where some inputs failed, 2 where the command could not be carried out."""
    parser = argparse.ArgumentParser(prog="pneumonia", description=f"Reads chest X-rays. {NOTICE}")
    parser.add_argument("--version", action="version", version=f"pneumonia-functions {core.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for module in (
        predict,
        phantom,
        explore,
        fetch_data,
        train,
        crossval,
        compare,
        evaluate,
        calibrate,
        export,
        guard,
        package,
        upload,
        retrain,
        models,
        drift,
        smoke,
    ):
        module.register(commands)
    arguments = parser.parse_args(argv)
    try:
        return recording.run(arguments, _carry_out)
    except ModuleNotFoundError as error:
        print(
            f"error: missing_package: Expected {error.name}, of pip install '.[train]'. Received: an installation without it.",
            file=sys.stderr,
        )
        return EXIT_CANNOT
    except KeyboardInterrupt:  # while it is recorded
        return EXIT_INTERRUPTED


def _carry_out(arguments: argparse.Namespace) -> int:
    """Run a parsed command; return its exit status, after a sentence where it is 2."""
    try:
        return int(arguments.run(arguments))
    except errors.PneumoniaError as error:
        print(f"error: {error.code}: {error}", file=sys.stderr)
        return EXIT_CANNOT
    except BrokenPipeError:  # `pneumonia predict … | head` closes our output: nothing went wrong
        return EXIT_OK
    except KeyboardInterrupt:
        print("interrupted" + (": the same command goes on" if arguments.command in _RESUME else ""), file=sys.stderr)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
