"""From process start to the first 200 of POST /predict: our doors beside a plain Flask and Keras server of the same network.

    python -m benchmarks.cold_start [--repetitions 7] [--require 8] [--json FILE]

Each repetition starts every server once, in an order that moves on by one, so that whatever else the machine does meets all of them.
Files come from the page cache, as after a container's image has been read: a first round that is not counted sees to that.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import pictures, report
from benchmarks.servers import HOST, ServerFailed, Start, free_port, time_start

REPOSITORY = Path(__file__).resolve().parents[1]
GOOGLE, AZURE, PEER = "google", "azure", "keras"
NEEDS = {GOOGLE: "functions_framework", AZURE: "azure_functions_runtime", PEER: "keras"}
TITLES = {GOOGLE: "ours, functions-framework", AZURE: "ours, Azure's runtime", PEER: "Flask + Keras predict"}
# The peer gets what makes it faster: no search for a GPU, no messages.
PEER_ENVIRON = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


class Server(NamedTuple):
    """A contestant: how to start it on a port, and its environment."""

    name: str
    command: Callable[[int], list[str]]
    environ: Mapping[str, str]


def google_command(port: int) -> list[str]:
    """Return the command of `make serve`, in the environment that runs this benchmark."""
    program = str(Path(sys.executable).with_name("functions-framework"))
    return [program, "--source", "function_gcp/main.py", "--target", "pneumonia", "--host", HOST, "--port", str(port)]


def azure_command(port: int) -> list[str]:
    """Return the command of `make serve-azure`."""
    return [sys.executable, "-m", "function_azure.host", "--port", str(port)]


def make_servers(names: Sequence[str], network: Path) -> list[Server]:
    """Return the contestants; the peer serves the .keras file `network`."""
    ours = dict(os.environ)

    def peer_command(port: int) -> list[str]:
        return [sys.executable, "-m", "benchmarks.peer_keras", str(network), "--port", str(port)]

    servers = {
        GOOGLE: Server(GOOGLE, google_command, ours),
        AZURE: Server(AZURE, azure_command, ours),
        PEER: Server(PEER, peer_command, {**ours, **PEER_ENVIRON}),
    }
    return [servers[name] for name in names]


def measure(servers: Sequence[Server], picture: bytes, repetitions: int, warm_up: int, timeout_s: float) -> dict[str, list[Start]]:
    """Start all servers in turn, `warm_up` rounds uncounted and `repetitions` counted.

    Raises:
        ServerFailed: one of them gave no 200.
    """
    starts: dict[str, list[Start]] = {server.name: [] for server in servers}
    for turn in range(warm_up + repetitions):
        shift = turn % len(servers)
        for server in (*servers[shift:], *servers[:shift]):
            port = free_port()
            start = time_start(server.command(port), server.environ, REPOSITORY, port, picture, timeout_s)
            counted = turn >= warm_up
            if counted:
                starts[server.name].append(start)
            number = f"{turn - warm_up + 1}/{repetitions}" if counted else "warm-up"
            report.step(f"{number}  {TITLES[server.name]}: {start.first_answer_s:.3f} s")
    return starts


def summarise(starts: Mapping[str, Sequence[Start]]) -> list[report.Row]:
    """Return a row a server: median and range in seconds, memory, and how many times faster than the peer it is."""
    medians = {name: report.median([start.first_answer_s for start in found]) for name, found in starts.items()}
    rows: list[report.Row] = []
    for name, found in starts.items():
        seconds = [start.first_answer_s for start in found]
        rows.append(
            {
                "server": TITLES[name],
                "median s": medians[name],
                "fastest s": min(seconds),
                "slowest s": max(seconds),
                "peak MiB": max((start.peak_mib for start in found if start.peak_mib is not None), default=None),
                "shared out MiB": max((start.shared_out_mib for start in found if start.shared_out_mib is not None), default=None),
                "times faster": medians[PEER] / medians[name] if PEER in medians else None,
            }
        )
    return rows


def check(rows: Sequence[report.Row], require: float) -> str | None:
    """Return what the claim misses, or None: each of our doors must be `require` times faster than the peer."""
    for row in rows:
        ratio, server = row["times faster"], row["server"]
        if server != TITLES[PEER] and isinstance(ratio, float) and ratio < require:
            return f"Expected the first answer {require:g} times sooner than the peer's. Received: {ratio:.2f} times from {server}."
    return None


def build_network(file: Path) -> None:
    """Make the peer's network in a process of its own: TensorFlow in this one would take part in all that follows."""
    report.step("building the peer's network")
    command = [sys.executable, "-m", "benchmarks.peer_keras", "--build", str(file)]
    subprocess.run(command, env={**os.environ, **PEER_ENVIRON}, cwd=REPOSITORY, check=True)


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=report.positive, default=7, help="counted starts of each server (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=1, help="uncounted rounds before them (default: %(default)s)")
    parser.add_argument("--servers", nargs="+", choices=tuple(NEEDS), default=list(NEEDS), help="which to start (default: all)")
    parser.add_argument("--require", type=float, default=8.0, help="how many times sooner we must answer; 0 asks nothing (default: 8)")
    parser.add_argument(
        "--side-px", type=report.positive, default=pictures.SIDE_PX, help="side of the posted phantom (default: %(default)s)"
    )
    parser.add_argument("--timeout-s", type=float, default=120.0, help="longest wait for a first answer (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 where the claim does not hold, 2 where nothing could be measured."""
    arguments = read_arguments(argv)
    missing = [NEEDS[name] for name in arguments.servers if importlib.util.find_spec(NEEDS[name]) is None]
    if missing:
        print(f"error: Expected {', '.join(missing)} to be installed, as `make benchmark` does, or other --servers.", file=sys.stderr)
        return 2
    where = report.machine()
    picture = pictures.draw(0, arguments.side_px)
    try:
        with tempfile.TemporaryDirectory() as folder:
            network = Path(folder) / "network.keras"
            if PEER in arguments.servers:
                build_network(network)
            servers = make_servers(arguments.servers, network)
            starts = measure(servers, picture, arguments.repetitions, arguments.warm_up, arguments.timeout_s)
    except (ServerFailed, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = summarise(starts)
    every = {name: [start._asdict() for start in found] for name, found in starts.items()}
    report.write_json(arguments.json, {"machine": where, "rows": rows, "starts": every})
    report.print_machine(where)
    report.print_table(rows)
    missed = check(rows, arguments.require)
    if missed:
        print(missed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
