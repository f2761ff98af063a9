"""What the scripts of both clouds do alike: `make deploy-…` and `make push`, argument by argument, against recorded fakes."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.infra import plays, plays_azure, plays_gcp
from tests.infra.plays import run
from tests.support.fakes import Call


class Cloud(NamedTuple):
    """A cloud's play. `pushed` is `make push` from its first call to its last."""

    name: str
    settings: str
    text: str
    deploy: Callable[[bool], list[Call]]
    steps: list[int]
    pushed: list[Call]
    url: str
    pinned: dict[str, str]


GCP = Cloud(
    "gcp",
    plays_gcp.SETTINGS,
    plays_gcp.TFVARS,
    plays_gcp.deploy,
    plays_gcp.steps(),
    [*plays_gcp.CHECK, *plays_gcp.push(), *[plays_gcp.describe(target, True) for target in plays.DIGESTS]],
    plays_gcp.URL,
    plays_gcp.PINNED,
)
AZURE = Cloud(
    "azure",
    plays_azure.PARAMETERS,
    plays_azure.USING,
    plays_azure.deploy,
    plays_azure.steps(),
    [*plays_azure.check(True), *plays_azure.push(), *[plays_azure.describe(target, True) for target in plays.DIGESTS]],
    plays_azure.URL,
    plays_azure.PINNED,
)
CLOUDS = (GCP, AZURE)
each_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=[cloud.name for cloud in CLOUDS])


@pytest.fixture
def place(tmp_path: Path, cloud: Cloud) -> Path:
    return plays.filled_in(tmp_path / "checkout", cloud.settings, cloud.text)


@pytest.mark.parametrize("first", [True, False], ids=["where nothing is", "where all is there"])
@each_cloud
def test_deploy_calls_what_the_play_says(place: Path, cloud: Cloud, first: bool) -> None:
    calls = cloud.deploy(first)

    done = run(place, f"deploy-{cloud.name} YES=1", calls)

    assert done.calls == [one.argv for one in calls], done.err
    assert done.code == 0
    assert f"Deployed: {cloud.url}" in done.out
    assert cloud.pinned["serve"] in done.out


@pytest.mark.parametrize(
    ("cloud", "number"), [pytest.param(cloud, number, id=f"{cloud.name}-{number}") for cloud in CLOUDS for number in cloud.steps]
)
def test_a_call_that_fails_stops_the_deployment_with_its_message(place: Path, cloud: Cloud, number: int) -> None:
    calls = cloud.deploy(True)
    failing = calls[number]
    done = run(place, f"deploy-{cloud.name} YES=1", [*calls[:number], failing._replace(code=5, says="", complains="QUOTA EXCEEDED\n")])

    assert done.code != 0
    assert done.calls == [one.argv for one in calls[: number + 1]]
    assert "QUOTA EXCEEDED" in done.err or "error: Expected" in done.err
    assert "Deployed" not in done.out


@each_cloud
def test_push_says_the_digests(place: Path, cloud: Cloud) -> None:
    done = run(place, f"push TO={cloud.name} YES=1", cloud.pushed)

    assert (done.code, done.calls) == (0, [one.argv for one in cloud.pushed]), done.err
    assert done.out.splitlines()[-2:] == list(cloud.pinned.values())
