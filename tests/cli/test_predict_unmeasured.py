"""What the terminal says of a package that nobody measured."""

from pathlib import Path

import pytest

from cli.main import main
from core import phantom
from tests.support import packages


def test_table_does_not_claim_what_nobody_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(phantom.jpeg(1))

    assert main(["predict", "--model", str(packages.unmeasured(tmp_path)), str(tmp_path / "a.jpg")]) == 0

    assert ", not measured; indeterminate from " in capsys.readouterr().out
