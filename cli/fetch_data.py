"""`pneumonia fetch-data`: the public data set from its publisher. Needs the training extra."""

import argparse
from pathlib import Path

from cli import recipe

DATA_SET = "Chest X-Ray Images (Pneumonia) of Kermany, Zhang and Goldbaum, Mendeley Data, doi 10.17632/rscbjbr9sj.2 (1.2 GB, CC BY 4.0)"
PAGE = "https://data.mendeley.com/datasets/rscbjbr9sj/2"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fetch-data",
        help="download the public data set from its publisher",
        description=f"Download {DATA_SET}, check its digest and unpack it into TARGET. An interrupted download goes on where it broke off; "
        "what is there is not fetched again.",
        epilog=f"The publisher's page is {PAGE}: should the file move, its address and sha256 stand there.",
    )
    parser.add_argument("target", type=Path, metavar="TARGET", help="folder that will hold chest_xray/train and chest_xray/test")
    parser.add_argument("--url", help="another address of the archive, or another archive (zip or tar); needs --sha256")
    parser.add_argument("--sha256", help="digest that the archive must have")
    parser.add_argument("--keep-archive", action="store_true", help="leave the archive in TARGET after unpacking")
    recipe.register_tracking(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fetch, and say whose work it is."""
    import logging

    import msgspec

    from training import errors, fetch

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    source = fetch.PUBLISHED
    if arguments.url and not arguments.sha256:
        raise errors.InvalidOption("Expected --sha256 with --url: what cannot be checked is not unpacked. Received: --url alone.")
    if arguments.sha256:
        changed = {"url": arguments.url or source.url, "sha256": arguments.sha256.lower()}
        source = msgspec.structs.replace(source, **changed)
        if arguments.sha256.lower() != fetch.PUBLISHED.sha256:
            source = msgspec.structs.replace(source, file="archive", licence="", citation=())
    fetched = fetch.fetch(source, arguments.target, arguments.keep_archive)
    print(f"{'fetched into' if fetched else 'nothing to do, all is there:'} {arguments.target}")
    print(f"Licence: {source.licence or 'ask its publisher'}")
    if source.citation:
        print("Please cite:")
    for line in source.citation:
        print(f"  {line}")
    print(f"Look at it: pneumonia explore {arguments.target}")
    return 0
