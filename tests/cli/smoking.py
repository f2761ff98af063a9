"""How the tests of `pneumonia smoke` run it."""

import json

import pytest

from cli.main import main


def smoke(url: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[dict[str, object]]]:
    """Run it; return its exit code and its checks."""
    code = main(["smoke", url, "--json", "--rounds", "2", *options])
    said = json.loads(capsys.readouterr().out)
    assert said["passed"] == (code == 0)
    return code, said["checks"]


def faults(checks: list[dict[str, object]]) -> dict[object, object]:
    return {check["check"]: check["fault"] for check in checks if not check["passed"]}
