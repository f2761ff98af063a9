"""Compute docs/cost.md from inputs.toml: measured milliseconds and memory, published prices and their formulas.

    python -m infra.cost.page [--check]

Everything between the two marks of the page is written anew; `--check` writes nothing and ends with 1 where that would change something.
"""

import math
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "cost.md"
INPUTS: Final = Path(__file__).with_name("inputs.toml")
BEGIN, END = "<!-- computed: make cost -->", "<!-- end -->"
MILLION: Final = 1_000_000
SECONDS: Final = 3600
Figures = Mapping[str, Any]


def billed(used: float, free: float, price: float) -> float:
    """Return dollars for what goes beyond what is free."""
    return max(0.0, used - free) * price


def google(pictures: int, inputs: Figures) -> dict[str, float]:
    """Return dollars a month on Cloud Run: each request by itself, rounded up. Those that overlap share an instance and cost less."""
    prices, assumed, measured = inputs["prices"]["google"], inputs["assumed"], inputs["measured"]
    step = prices["granularity_s"]
    seconds = pictures * math.ceil(measured["handle_ms"] / 1000 / step) * step
    job_s = assumed["retrainings"] * assumed["retraining_s"]
    return {
        "processor and memory": billed(seconds * assumed["vcpu"], prices["free_vcpu_s"], prices["vcpu_s"])
        + billed(seconds * assumed["gcp_memory_gib"], prices["free_gib_s"], prices["gib_s"]),
        "requests": billed(pictures, prices["free_requests"], prices["million_requests"] / MILLION),
        "retraining": job_s * assumed["retraining_vcpu"] * prices["job_vcpu_s"]
        + job_s * assumed["retraining_memory_gib"] * prices["job_gib_s"],
        "images kept": billed(assumed["image_gib"], prices["free_registry_gib"], prices["registry_gib"]),
        **around(pictures, prices, inputs),
    }


def container_apps(pictures: int, inputs: Figures) -> dict[str, float]:
    """Return dollars a month on Container Apps: an instance lives from a request to the end of its cool-down, at most all working hours."""
    prices, assumed = inputs["prices"]["container_apps"], inputs["assumed"]
    alive_s = min(pictures * (assumed["cooldown_s"] + inputs["measured"]["first_answer_s"]), assumed["working_hours"] * SECONDS)
    job_s = assumed["retrainings"] * assumed["retraining_s"]
    vcpu_s = alive_s * assumed["vcpu"] + job_s * assumed["retraining_vcpu"]
    gib_s = alive_s * assumed["azure_memory_gib"] + job_s * assumed["retraining_memory_gib"]
    together = billed(vcpu_s, prices["free_vcpu_s"], prices["vcpu_s"]) + billed(gib_s, prices["free_gib_s"], prices["gib_s"])
    return {
        "processor and memory, retraining": together,
        "requests": billed(pictures, prices["free_requests"], prices["million_requests"] / MILLION),
        "registry": prices["registry_month"],
        **around(pictures, prices, inputs),
    }


def premium(pictures: int, inputs: Figures) -> dict[str, float]:
    """Return dollars a month on Elastic Premium: one instance, whatever it does; the job and the rest as on Container Apps."""
    prices, hours = inputs["prices"]["premium"], inputs["assumed"]["month_hours"]
    instance = hours * (prices["vcpu"] * prices["vcpu_h"] + prices["memory_gib"] * prices["gib_h"])
    rest = container_apps(0, inputs)
    apps = inputs["prices"]["container_apps"]
    return {
        "instance": instance,
        "retraining": rest["processor and memory, retraining"],
        "registry": rest["registry"],
        **around(pictures, apps, inputs),
    }


def around(pictures: int, prices: Figures, inputs: Figures) -> dict[str, float]:
    """Return what stands around a request: the answers' way out, the log lines, the uploads."""
    measured, assumed = inputs["measured"], inputs["assumed"]
    out_gib, log_gib = pictures * measured["answer_kib"] / 2**20, pictures * assumed["log_kib_a_request"] / 2**20
    return {
        "answers' way out": billed(out_gib, prices.get("free_egress_gib", 0), prices["egress_gib"]),
        "logs": billed(log_gib, prices["free_log_gib"], prices["log_gib"]),
        "uploads kept": assumed["uploads"] * measured["picture_mib"] / 1024 * prices["storage_gib"],
    }


def kept_ready(inputs: Figures) -> dict[str, float]:
    """Return dollars a month for one instance that waits all the time, so that nobody waits for a start."""
    assumed, seconds = inputs["assumed"], inputs["assumed"]["month_hours"] * SECONDS
    run, apps = inputs["prices"]["google"], inputs["prices"]["container_apps"]
    return {
        "Cloud Run": seconds * (assumed["vcpu"] * run["idle_vcpu_s"] + assumed["gcp_memory_gib"] * run["idle_gib_s"]),
        "Container Apps": seconds * (assumed["vcpu"] * apps["idle_vcpu_s"] + assumed["azure_memory_gib"] * apps["idle_gib_s"]),
    }


def upper_bound(inputs: Figures, instances: int = 4) -> dict[str, float]:
    """Return dollars a month when as many instances as are allowed are busy without a pause: what an attack could cost."""
    assumed, seconds = inputs["assumed"], inputs["assumed"]["month_hours"] * SECONDS * instances
    run, apps, ep1 = inputs["prices"]["google"], inputs["prices"]["container_apps"], inputs["prices"]["premium"]
    return {
        "Cloud Run": seconds * (assumed["vcpu"] * run["vcpu_s"] + assumed["gcp_memory_gib"] * run["gib_s"]),
        "Container Apps": seconds * (assumed["vcpu"] * apps["vcpu_s"] + assumed["azure_memory_gib"] * apps["gib_s"]),
        "Premium": instances * assumed["month_hours"] * (ep1["vcpu"] * ep1["vcpu_h"] + ep1["memory_gib"] * ep1["gib_h"]),
    }


HOSTINGS: Final = {"Cloud Run": google, "Container Apps": container_apps, "Premium": premium}


def rows(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, numbers to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def dollars(value: float) -> str:
    """Return an amount as the page shows it."""
    return f"{value:,.2f}"


def render(inputs: Figures) -> str:
    """Return what stands between the marks."""
    scenarios: dict[str, int] = inputs["scenarios"]
    totals = [
        [f"{name}: {pictures:,} pictures", *(dollars(sum(cost(pictures, inputs).values())) for cost in HOSTINGS.values())]
        for name, pictures in scenarios.items()
    ]
    name, pictures = list(scenarios.items())[2]
    parts = {hosting: cost(pictures, inputs) for hosting, cost in HOSTINGS.items()}
    lines = [[hosting, part, dollars(value)] for hosting, costs in parts.items() for part, value in costs.items()]
    ready, bound = kept_ready(inputs), upper_bound(inputs)
    prices = inputs["prices"]
    sources = "\n".join(f"- {name}: <{prices[key]['source']}>; {prices[key]['confirmed']}." for key, name in SOURCES.items())
    given = "\n".join(f"| `{key}` | {value:,} |" for part in ("measured", "assumed") for key, value in inputs[part].items())
    free_mib = inputs["assumed"]["gcp_memory_gib"] * 1024 - inputs["measured"]["peak_mib"]
    return f"""Prices of {prices["date"]}, in US dollars a month. An instance takes {inputs["measured"]["peak_mib"]:.0f} MiB, which leaves
{free_mib:.0f} MiB of the smaller one for pictures.

{rows(["a month", *HOSTINGS], totals)}

What {name} pays for:

{rows(["hosting", "what", "dollars"], lines).replace("| --- | ---: | ---: |", "| --- | --- | ---: |")}

| | {" | ".join(HOSTINGS)} |
| --- | ---: | ---: | ---: |
| one instance always ready, on top | {dollars(ready["Cloud Run"])} | {dollars(ready["Container Apps"])} | is |
| four instances, the most allowed, busy all month | {" | ".join(dollars(bound[hosting]) for hosting in HOSTINGS)} |

Sources of the prices:

{sources}

| input | value |
| --- | ---: |
{given}"""


SOURCES: Final = {"google": "Cloud Run", "container_apps": "Container Apps", "premium": "Functions Premium"}


def main(argv: Sequence[str]) -> int:
    """Write the page, or with `--check` only look; return 1 where the page is not what the inputs give."""
    inputs = tomllib.loads(INPUTS.read_text("utf-8"))
    before = PAGE.read_text("utf-8")
    head, _, rest = before.partition(BEGIN)
    after = f"{head}{BEGIN}\n\n{render(inputs)}\n\n{END}{rest.partition(END)[2]}"
    if "--check" not in argv:
        PAGE.write_text(after, "utf-8")
    elif after != before:
        sys.stderr.write("Expected docs/cost.md to be what infra/cost/inputs.toml gives. Received: another page. Run: make cost\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
