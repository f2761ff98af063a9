"""DICOM at the terminal."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from cli.main import main
from core import phantom
from tests.support import dicoms


def test_dicom_of_a_folder_is_read_and_refused_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.dcm").write_bytes(dicoms.sound())
    (tmp_path / "b.DICOM").write_bytes(dicoms.file(dicoms.chest(), ViewPosition="LL"))

    assert main(["predict", "--json", str(tmp_path)]) == 1

    first, second = (msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines())
    assert (first["status"], first["image"]["format"], second["code"]) == ("ok", "dicom", "not_frontal")


def test_what_the_header_warns_of_is_told_beside_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.dcm").write_bytes(dicoms.file(phantom.chest(3), PatientAge="081Y", ViewPosition=None))
    (tmp_path / "b.jpg").write_bytes(phantom.jpeg())

    assert main(["predict", str(tmp_path)]) == 0

    _, adult, plain, *_ = capsys.readouterr().out.splitlines()
    assert adult.endswith("note: view not stated, patient is adult")
    assert "note:" not in plain
