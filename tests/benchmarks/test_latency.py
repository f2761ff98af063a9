import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import latency, report

REPOSITORY = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the service's log is set up once in each, and here it goes nowhere."""
    command = [sys.executable, "-m", "benchmarks.latency", "--repetitions", "1", "--phantoms", "1", "--side-px", "300", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_one_repetition_gives_all_paths_and_stages_that_sum_to_the_whole(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = run("--require", "0", "--json", str(file))
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert figures["of_these_looked_at_twice"] == 0
    assert [row["path"] for row in figures["rows"]] == [latency.HANDLE, latency.BARE, latency.BARE_DRAFT]
    *stages, whole = figures["stages"]
    assert math.isclose(sum(stage["median ms"] for stage in stages), whole["median ms"])


def test_missed_claim_is_exit_status_1_and_a_sentence() -> None:
    done = run("--require", "0.001")
    assert done.returncode == 1
    assert "Expected handle to take at most 0.001 times the bare path without draft." in done.stdout


def test_folder_without_pictures_is_exit_status_2_and_a_sentence(tmp_path: Path) -> None:
    done = run("--pictures", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().endswith(f"error: Expected JPEG files in {tmp_path}. Received: none.")


@pytest.mark.parametrize(("share", "expected"), [(0.95, 19.0), (0.96, 20.0), (0.5, 10.0), (1.0, 20.0), (0.0, 1.0)])
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert report.percentile([float(value) for value in range(20, 0, -1)], share) == expected
