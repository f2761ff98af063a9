"""The load test: its callers reach a real service, and the page shows what was measured."""

import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks import load


def figures() -> dict[str, object]:
    return dict(json.loads((load.OUT / "figures.json").read_text("utf-8")))


def test_page_shows_the_figures_that_were_measured() -> None:
    assert f"{load.BEGIN}\n\n{load.describe(figures())}\n\n{load.END}" in load.PAGE.read_text("utf-8")


@pytest.mark.train
def test_plots_are_drawn_from_the_figures(tmp_path: Path) -> None:
    load.draw(figures(), tmp_path)

    for plot in ("callers.svg", "sizes.svg"):
        assert (tmp_path / plot).read_bytes() == (load.OUT / plot).read_bytes()


@pytest.mark.train
def test_step_asks_a_real_service_and_every_request_is_answered() -> None:
    if importlib.util.find_spec("locust") is None:  # not imported: it would patch the threads of this process
        pytest.skip("needs locust: make test installs it")
    with load.service() as url:
        done = load.step(url, users=2, seconds=5)

    assert done["failures"] == 0
    assert done["requests"] > 2
    assert 0 < done["p50 ms"] <= done["p95 ms"] <= done["p99 ms"]


@pytest.mark.train
def test_refusals_are_counted_as_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PNEUMONIA_API_KEY", "what-the-service-wants")
    with load.service() as url:
        monkeypatch.setenv("PNEUMONIA_API_KEY", "another")
        done = load.step(url, users=2, seconds=4)

    assert done["failures"] == done["requests"] > 0
