"""`pneumonia smoke URL`: after a deployment, ask it everything that the contract promises and that leaves it as it was."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cli.endpoint import PLATFORM_SECRETS

if TYPE_CHECKING:
    from cli.endpoint import Endpoint
    from cli.smoke_checks import Smoke
    from cli.smoke_judge import Result

_SECRETS = {"key": ("PNEUMONIA_API_KEY", "X-API-Key", "{}", "the deployment's own key"), **PLATFORM_SECRETS}
_TIMEOUT_S = 60.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("smoke", help="check a live deployment against the contract; changes nothing there")
    parser.add_argument("url", metavar="URL")
    for option, (variable, header, _, meaning) in _SECRETS.items():
        said = f"{meaning}, sent as {header} (default: {variable}, which `ps` does not show)"
        parser.add_argument("--" + option.replace("_", "-"), metavar="SECRET", help=said)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="send this chest X-ray (default: a drawn one)")
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="predictions timed one after the other (default: %(default)s)")
    parser.add_argument("--limit-ms", type=float, default=2000.0, metavar="MS", help="largest median of these (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    import msgspec

    from cli import smoke_checks
    from cli.endpoint import Endpoint
    from core import phantom

    endpoint = Endpoint(arguments.url, _secrets(arguments), _TIMEOUT_S)
    picture = arguments.picture.read_bytes() if arguments.picture else phantom.jpeg()
    smoke = smoke_checks.Smoke(endpoint, picture, (lambda _: None) if arguments.json else _print)
    smoke_checks.run(smoke)
    if any(result.fault is None and result.name == "reads a picture" for result in smoke.results):
        _time(smoke, max(1, arguments.rounds), arguments.limit_ms)
    failed = [result for result in smoke.results if result.fault]
    if arguments.json:
        checks = [_as_json(result) for result in smoke.results]
        print(msgspec.json.encode({"url": arguments.url, "passed": not failed, "checks": checks}).decode())
    else:
        print(f"{len(smoke.results) - len(failed)} of {len(smoke.results)} checks passed on {arguments.url}")
    if all(result.received == "nothing" for result in smoke.results):
        return 2
    return 1 if failed else 0


def _secrets(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the headers that carry the secrets of the options, or of the environment."""
    given = {option: getattr(arguments, option) or os.environ.get(variable) for option, (variable, *_) in _SECRETS.items()}
    return {_SECRETS[option][1]: _SECRETS[option][2].format(value.strip()) for option, value in given.items() if value}


def _time(smoke: "Smoke", rounds: int, limit_ms: float) -> None:
    """Time predictions on one connection, as a caller sees them, and hold their median against the limit."""
    from statistics import median

    from cli.endpoint import Ask, Unreachable
    from cli.smoke_judge import Result

    endpoint: Endpoint = smoke.endpoint
    try:
        taken = [endpoint.ask(Ask("POST", "/predict", smoke.picture), keep_open=True).milliseconds for _ in range(rounds + 1)][1:]
    except Unreachable as error:
        smoke.keep(Result(f"answers {rounds} times in a row", (), "nothing", None, str(error)))
        return
    finally:
        endpoint.close()
    middle = median(taken)
    fault = None if middle <= limit_ms else f"Expected a median of at most {limit_ms:g} ms. Received: {middle:.0f} ms."
    received = f"{min(taken):.0f} to {max(taken):.0f} ms"
    smoke.keep(Result(f"answers {rounds} times in a row, median", (), received, middle, fault))


def _print(result: "Result") -> None:
    taken = "" if result.milliseconds is None else f"{result.milliseconds:.0f} ms"
    print(f"{'FAIL' if result.fault else 'ok':<4}  {result.name:<48}  {result.received:<26}  {taken:>9}".rstrip(), flush=True)
    if result.fault:
        print(f"      {result.fault}", flush=True)


def _as_json(result: "Result") -> dict[str, object]:
    return {
        "check": result.name,
        "passed": result.fault is None,
        "expected": [str(wanted) for wanted in result.wanted],
        "received": result.received,
        "milliseconds": None if result.milliseconds is None else round(result.milliseconds, 2),
        "fault": result.fault,
    }
