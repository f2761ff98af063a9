"""docs/cost.md: what its inputs give, by the rules that the platforms publish."""

import copy
import tomllib
from typing import Any

import pytest

from infra.cost import page

INPUTS: dict[str, Any] = tomllib.loads(page.INPUTS.read_text("utf-8"))
NOT_FIGURES = {"date", "source", "confirmed"}


def figures(inputs: dict[str, Any], *path: str) -> list[tuple[str, ...]]:
    """Return the paths of all figures."""
    found: list[tuple[str, ...]] = []
    for name, value in inputs.items():
        if isinstance(value, dict):
            found += figures(value, *path, name)
        elif name not in NOT_FIGURES:
            found.append((*path, name))
    return found


def test_page_is_what_the_inputs_give() -> None:
    assert page.main(["--check"]) == 0


def test_what_is_free_is_free_and_the_rest_is_billed() -> None:
    assert page.billed(180_000, 180_000, 0.000024) == 0.0
    assert page.billed(180_001, 180_000, 0.000024) == pytest.approx(0.000024)


def test_cloud_run_bills_each_request_rounded_up() -> None:
    """By hand: 4 million pictures of 100 ms are 400,000 s; 220,000 vCPU-s and 40,000 GiB-s beyond the free ones, 2 million requests."""
    costs = page.google(4_000_000, INPUTS)

    assert costs["processor and memory"] == pytest.approx(220_000 * 0.000024 + 40_000 * 0.0000025)
    assert costs["requests"] == pytest.approx(0.80)


def test_container_apps_bills_an_instance_until_it_is_put_to_sleep() -> None:
    """By hand: a few pictures each keep it for their cool-down; many keep it all working hours, with 2 GiB: 432,000 s beyond 360,000."""
    few, many = (page.container_apps(pictures, INPUTS) for pictures in (10, 1_000_000))

    alive_s, job_s = 220 * 3600, 3600
    vcpu_s, gib_s = alive_s + 4 * job_s - 180_000, 2 * alive_s + 8 * job_s - 360_000
    assert few["processor and memory, retraining"] == 0.0
    assert many["processor and memory, retraining"] == pytest.approx(vcpu_s * 0.000024 + gib_s * 0.000003)


def test_premium_costs_the_same_whatever_it_does() -> None:
    assert page.premium(0, INPUTS)["instance"] == page.premium(1_000_000, INPUTS)["instance"] == pytest.approx(730 * (0.173 + 3.5 * 0.0123))


@pytest.mark.parametrize("path", figures(INPUTS), ids=".".join)
def test_every_input_is_used(path: tuple[str, ...]) -> None:
    nothing_free = copy.deepcopy(INPUTS)
    for prices in nothing_free["prices"].values():
        if isinstance(prices, dict):
            prices.update({name: 0 for name in prices if name.startswith("free_")})
    before = INPUTS if path[-1].startswith("free_") else nothing_free
    changed = copy.deepcopy(before)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = 0 if path[-1].startswith("free_") else place[path[-1]] * 1000

    # Not in the list of inputs, where each stands anyway.
    assert page.render(changed).partition("| input |")[0] != page.render(before).partition("| input |")[0]


def test_prices_say_when_and_where_they_are_from() -> None:
    for key in page.SOURCES:
        assert INPUTS["prices"][key]["source"].startswith("https://")
        assert INPUTS["prices"][key]["confirmed"]
    assert INPUTS["prices"]["date"] in page.PAGE.read_text("utf-8")
