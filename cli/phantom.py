"""`pneumonia phantom`: writes a synthetic chest to try things with."""

import argparse
import sys
from pathlib import Path


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("phantom", help="write a synthetic chest X-ray (no patient) as a JPEG file")
    parser.add_argument("file", type=Path, help="the JPEG file to write; it must not exist")
    parser.add_argument("--seed", type=int, default=0, help="varies the drawing (default: 0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the phantom; refuse to overwrite."""
    from core import phantom  # NumPy and Pillow

    try:
        with arguments.file.open("xb") as file:
            file.write(phantom.jpeg(arguments.seed))
    except OSError as error:
        print(f"error: cannot_write: {error}", file=sys.stderr)
        return 2
    print(f"wrote {arguments.file}")
    return 0
