import json
import re
from pathlib import Path

import pytest

from benchmarks import cold_start
from benchmarks.servers import Start

REPOSITORY = Path(__file__).resolve().parents[2]


def starts(ours_s: float, peer_s: float) -> dict[str, list[Start]]:
    return {cold_start.GOOGLE: [Start(ours_s, 150.0, 100.0)], cold_start.PEER: [Start(peer_s, 700.0, 500.0)]}


@pytest.mark.parametrize(("peer_s", "holds"), [(4.0, True), (3.99, False)])
def test_claim_holds_from_eight_times_on(peer_s: float, holds: bool) -> None:
    missed = cold_start.check(cold_start.summarise(starts(0.5, peer_s)), 8.0)
    assert (missed is None) is holds


def test_missed_claim_is_a_sentence_with_both_figures() -> None:
    missed = cold_start.check(cold_start.summarise(starts(1.0, 4.0)), 8.0)
    assert missed == "Expected the first answer 8 times sooner than the peer's. Received: 4.00 times from ours, functions-framework."


@pytest.mark.parametrize(
    ("target", "command"), [("functions-framework ", cold_start.google_command(1)), ("function_azure.host ", cold_start.azure_command(1))]
)
def test_our_doors_start_as_make_starts_them(target: str, command: list[str]) -> None:
    recipe = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if target in line and line.startswith("\t"))
    made = re.sub(r"\$\((AZURE_)?PORT\)", "1", recipe).partition(target)[2]
    assert " ".join(command).partition(target)[2] == made


@pytest.mark.train
def test_one_start_of_each_server(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert cold_start.main(["--repetitions", "1", "--warm-up", "0", "--require", "0", "--side-px", "300", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert [row["server"] for row in rows] == list(cold_start.TITLES.values())
    assert all(row["median s"] > 0.0 for row in rows)


def test_server_whose_part_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(cold_start.NEEDS, cold_start.PEER, "a_module_that_nobody_has")
    assert cold_start.main(["--servers", "keras"]) == 2
    assert "a_module_that_nobody_has" in capsys.readouterr().err
