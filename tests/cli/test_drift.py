"""`pneumonia drift` over a store with records of a calm day, a shifted one, a small one and a damaged one."""

import json
import random
from pathlib import Path

import msgspec
import pytest

from cli.main import main
from core import drift, models
from core.manifest import read
from core.records import Record
from core.store import Store
from tests.support import living, packages

SHARES = [0.4, 0.05, 0.025, 0.025, 0.0, 0.025, 0.025, 0.05, 0.1, 0.3]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a package that has a reference, version 2.0.0."""

    def change(manifest: packages.Json) -> None:
        manifest.update(version="2.0.0")
        manifest["metrics"].update(score_histogram=SHARES, pictures=600)

    monkeypatch.setenv("PNEUMONIA_STORE", (tmp_path / "store").as_uri())
    store = living.open_folder(tmp_path / "store")
    models.push(store, packages.variant(tmp_path, change))
    return store


def record(store: Store, day: str, version: str, bins: list[int], name: str = "a-000000") -> None:
    lines = [
        Record(
            hour=f"{day}T10:00Z",
            model="m",
            version=version,
            probability=drift.BOUNDS[place],
            decision="positive",
            operating_point="balanced",
            most_probable=None,
            guard="unchecked",
            guard_distance=None,
            format="jpeg",
        )
        for place, number in enumerate(bins)
        for _ in range(number)
    ]
    store.put(f"predictions/{day}/{name}.jsonl", b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def rows(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, object]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {(row["day"], row["version"]): row for row in found}


def test_each_day_and_version_has_its_verdict(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = random.Random(3)
    calm = drift.count(drawn.choices([bound - 0.05 for bound in drift.BOUNDS], SHARES, k=500))
    record(store, "2026-11-01", "2.0.0", calm)
    record(store, "2026-11-02", "2.0.0", [50, 10, 10, 10, 10, 10, 20, 50, 100, 230], "a-000000")
    record(store, "2026-11-02", "9.9.9", [7] * 10, "b-000000")
    record(store, "2026-11-03", "2.0.0", [4, 0, 0, 0, 0, 0, 0, 0, 3, 3])

    assert main(["drift", "--json"]) == 0

    found = rows(capsys)
    assert {key: row["verdict"] for key, row in found.items()} == {
        ("2026-11-01", "2.0.0"): "stable",
        ("2026-11-02", "2.0.0"): "shifted",
        ("2026-11-02", "9.9.9"): "no reference",
        ("2026-11-03", "2.0.0"): "too few",
    }
    assert found["2026-11-01", "2.0.0"]["pictures"] == 500
    assert found["2026-11-01", "2.0.0"]["psi"] == pytest.approx(drift.psi(calm, drift.Reference(tuple(SHARES), 600)), abs=1e-4)


def test_table_is_for_people_and_damaged_lines_are_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store, "2026-11-01", "2.0.0", [200, 25, 12, 12, 1, 12, 12, 25, 50, 150])
    store.put("predictions/2026-11-01/z-000000.jsonl", b"nonsense\n")

    assert main(["drift"]) == 1

    captured = capsys.readouterr()
    heading, row = captured.out.splitlines()
    assert heading.split() == [
        *("DAY", "VERSION", "PICTURES", "PSI", "BY", "CHANCE", "VERDICT"),
        *("REJECTED", "DISTANCE", "PSI", "VERDICT"),
    ]
    assert row.split()[:3] == ["2026-11-01", "2.0.0", "499"]
    assert row.split()[5] == "stable"
    assert captured.err.startswith("error: unreadable_record: ")


def test_distances_of_answered_and_rejected_pictures_are_held_against_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PNEUMONIA_STORE", (tmp_path / "store").as_uri())
    store, guarded = living.open_folder(tmp_path / "store"), packages.guarded(tmp_path)
    models.push(store, guarded)
    manifest, _ = read(guarded)
    assert manifest.guard is not None
    near, far = manifest.guard.distance_bounds
    for day, counts in {"2026-11-01": (500, 250, 250), "2026-11-02": (100, 100, 800)}.items():
        lines = [
            Record(
                hour=f"{day}T10:00Z",
                model="m",
                version=manifest.version,
                probability=None if distance > far else 0.5,
                decision="rejected" if distance > far else "positive",
                operating_point=None,
                most_probable=None,
                guard="refuse" if distance > far else "accept",
                guard_distance=distance,
                format="jpeg",
            )
            for distance, number in zip((near / 2, (near + far) / 2, far + 1.0), counts, strict=True)
            for _ in range(number)
        ]
        store.put(f"predictions/{day}/a-000000.jsonl", b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    assert main(["drift", "--json"]) == 0

    found = rows(capsys)
    verdicts = {day: (row["pictures"], row["rejected"], row["distance_verdict"]) for (day, _), row in found.items()}
    assert verdicts == {"2026-11-01": (750, 250, "stable"), "2026-11-02": (200, 800, "shifted")}


def test_store_without_records_says_so(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift"]) == 0

    assert capsys.readouterr().out == "no records\n"


def test_only_the_last_days_are_read(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for day in ("2026-11-01", "2026-11-02", "2026-11-03"):
        record(store, day, "2.0.0", [10] * 10)

    assert main(["drift", "--json", "--days", "2"]) == 0

    assert [day for day, _ in rows(capsys)] == ["2026-11-02", "2026-11-03"]
