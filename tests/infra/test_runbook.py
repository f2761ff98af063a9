"""docs/runbook.md: the signals it names exist, and its parts are complete."""

import re
from pathlib import Path

import pytest

from core import errors
from core.metrics import Metrics
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "runbook.md").read_text("utf-8")
PARTS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
SOURCES = "".join(path.read_text("utf-8") for path in (ROOT / "core").glob("*.py"))


def test_metrics_exist() -> None:
    named = set(re.findall(r"\bpneumonia_[a-z_]+", TEXT))
    types = set(re.findall(r"^# TYPE (\S+)", Metrics().render().decode(), re.MULTILINE))

    assert named
    assert named <= types


def test_log_lines_exist() -> None:
    messages = set(re.findall(r'"message": "([a-z ]+)"', TEXT))

    assert {"request", "cannot reload", "cannot serve"} <= messages
    assert [message for message in messages if f'"{message}"' not in SOURCES] == []


def test_settings_and_codes_exist() -> None:
    settings = {"PNEUMONIA_" + name.upper() for name in Settings.__struct_fields__}
    codes = {error.code for error in errors.leaves()}
    named = {
        code
        for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TEXT)
        if code.split("_")[-1] in ("unauthorized", "unavailable", "pictures", "large")
    }

    assert set(re.findall(r"PNEUMONIA_[A-Z_]+", TEXT)) <= settings
    assert named
    assert named <= codes


@pytest.mark.parametrize("part", PARTS, ids=[part.partition("\n")[0] for part in PARTS])
def test_part_has_signal_command_and_what_to_expect(part: str) -> None:
    for word in ("**Signal**", "**Command**", "**Expect**"):
        assert word in part


def test_parts_are_those_that_are_owed() -> None:
    owed = ["Cold starts", "Scaling", "Quota", "Rollback", "Key rotation", "A bad model", "A bill that grows"]

    assert [part.partition("\n")[0] for part in PARTS] == owed
