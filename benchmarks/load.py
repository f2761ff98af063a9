"""Run Locust against a deployment with more and more callers; write a table, the figures as JSON and the plots of docs/load.md.

    python -m benchmarks.load [--url URL] [--users 1 2 4 8 16 32 64] [--seconds 20] [--out docs/load]

Without a URL it starts the service as `make serve` does and ends it. `--draw` draws the plots again from the figures that are there.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import report
from benchmarks.servers import HOST, free_port

ROOT = Path(__file__).resolve().parents[1]
START_S = 30.0
OUT = ROOT / "docs" / "load"
PAGE = OUT.with_suffix(".md")
BEGIN, END = "<!-- figures -->", "<!-- end -->"
TOTAL = "Aggregated"
QUANTILES = {"p50 ms": "50%", "p95 ms": "95%", "p99 ms": "99%"}
GOOGLE = ("functions_framework", "--source", "function_gcp/main.py", "--target", "pneumonia", "--host", HOST)


@contextmanager
def service() -> Iterator[str]:
    """Start the service with one interpreter a core, as the container does; yield its URL."""
    port = free_port()
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "-m", *GOOGLE, "--port", str(port)], cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            _wait(f"http://{HOST}:{port}/health/ready")
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(START_S)


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            with urlopen(url, timeout=START_S):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def step(url: str, users: int, seconds: int) -> dict[str, Any]:
    """Run one number of callers for some seconds; return its figures.

    Returns:
        users, requests, failures, requests per second, quantiles in ms, and the median in ms by what was posted.
    """
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "run"
        options = ["--headless", "--only-summary", "--csv", str(prefix), "--host", url, "--users", str(users), "--spawn-rate", str(users)]
        command = [sys.executable, "-m", "locust", "-f", "benchmarks/locustfile.py", *options, "--run-time", f"{seconds}s"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        stats = prefix.with_name("run_stats.csv")
        if not stats.exists():
            raise SystemExit(f"Expected Locust to write its figures. Received: {done.stderr[-2000:]}")
        rows = list(csv.DictReader(stats.read_text("utf-8").splitlines()))
    total = next(row for row in rows if row["Name"] == TOTAL)
    return {
        "users": users,
        "requests": int(total["Request Count"]),
        "failures": int(total["Failure Count"]),
        "requests/s": round(float(total["Requests/s"]), 1),
        **{name: int(float(total[column])) for name, column in QUANTILES.items()},
        "median ms by picture": {row["Name"]: int(float(row["50%"])) for row in rows if row["Name"] != TOTAL and row["50%"] != "N/A"},
    }


def table(steps: Sequence[Mapping[str, Any]]) -> list[report.Row]:
    """Return the rows that are printed."""
    return [{name: value for name, value in one.items() if not isinstance(value, dict)} for one in steps]


def describe(result: Mapping[str, Any]) -> str:
    """Return the figures as docs/load.md shows them: the machine in a sentence, a line a step."""
    where, steps = result["machine"], table(result["steps"])
    busy = f"Load average {where['load_average_before']} before and {result['load_average_after']} after."
    said = f"{where['cores']} cores of an {where['processor']}, {where['system']}, Python {where['python']}. {busy}"
    head = list(steps[0])
    lines = [" | ".join(head), " | ".join("---:" for _ in head), *(" | ".join(f"{value:,}" for value in row.values()) for row in steps)]
    return said + "\n\n" + "\n".join(f"| {line} |" for line in lines)


def write_page(result: Mapping[str, Any], page: Path) -> None:
    """Put the figures between the marks of the page."""
    head, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n\n{describe(result)}\n\n{END}{rest.partition(END)[2]}", "utf-8")


def draw(result: Mapping[str, Any], out: Path) -> None:
    """Write the plots: throughput and times over callers, and times over the size of a picture."""
    from matplotlib.figure import Figure

    from training.svg import svg

    steps = result["steps"]
    users = [one["users"] for one in steps]
    figure = Figure(figsize=(7, 3))
    left, right = figure.subplots(1, 2)
    left.plot(users, [one["requests/s"] for one in steps], marker="o")
    left.set(xlabel="callers", ylabel="requests per second", ylim=(0, None))
    for name in QUANTILES:
        right.plot(users, [one[name] for one in steps], marker="o", label=name.removesuffix(" ms"))
    right.set(xlabel="callers", ylabel="milliseconds", ylim=(0, None))
    right.legend(frameon=False)
    figure.tight_layout()
    (out / "callers.svg").write_bytes(svg(figure, "Requests per second and milliseconds by the number of callers"))

    figure = Figure(figsize=(7, 2.6))
    axes = figure.subplots()
    calm = [one for one in steps if one["p50 ms"] <= 2 * min(every["p50 ms"] for every in steps)][-1]  # the most figures without a queue
    quiet = calm["median ms by picture"]
    names = sorted((name for name in quiet if name.startswith("predict ")), key=lambda name: float(name.split()[1]))
    axes.bar([name.removeprefix("predict ") for name in names], [quiet[name] for name in names], width=0.6)
    axes.set(ylabel="median milliseconds")
    figure.tight_layout()
    (out / "sizes.svg").write_bytes(svg(figure, f"Median milliseconds by the size of the picture, {calm['users']} callers"))


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", help="ask this deployment (default: start one here); keys come from the environment")
    parser.add_argument("--users", type=report.positive, nargs="+", default=[1, 2, 4, 8, 16, 32, 64], help="callers of each step")
    parser.add_argument("--seconds", type=report.positive, default=20, help="length of a step (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER", help="where figures and plots go (default: docs/load)")
    parser.add_argument("--draw", action="store_true", help="draw again from the figures there, and measure nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 1 where a request failed."""
    arguments = read_arguments(argv)
    file: Path = arguments.out / "figures.json"
    if arguments.draw:
        publish(json.loads(file.read_text("utf-8")), arguments.out)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else the service that was started here would outlive this process
    arguments.out.mkdir(parents=True, exist_ok=True)
    where = report.machine()
    steps = []
    with service() if not arguments.url else _given(arguments.url) as url:
        for users in report.track(arguments.users, len(arguments.users), "steps"):
            steps.append(step(url, users, arguments.seconds))
    result = {"machine": where, "seconds": arguments.seconds, "load_average_after": round(os.getloadavg()[0], 2), "steps": steps}
    report.write_json(file, result)
    report.print_machine(where)
    report.print_table(table(steps))
    publish(result, arguments.out)
    return 1 if any(one["failures"] for one in steps) else 0


def publish(result: Mapping[str, Any], out: Path) -> None:
    """Draw the plots, and where these are the page's own write the page as well."""
    draw(result, out)
    if out.resolve() == OUT:
        write_page(result, PAGE)


@contextmanager
def _given(url: str) -> Iterator[str]:
    yield url


if __name__ == "__main__":
    sys.exit(main())
