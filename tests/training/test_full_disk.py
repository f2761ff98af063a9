"""A disk that fills up while a network learns or a package is written: one sentence, and the same command goes on with room again."""

import csv
import re
import resource
from pathlib import Path

import pytest

from cli.main import main
from tests.training.elsewhere import save_keras, softmax_with_gap

pytestmark = pytest.mark.train

FULL = Path("/dev/full")


def test_checkpoint_that_does_not_fit_ends_the_run_and_the_same_command_goes_on(
    phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not FULL.exists():
        pytest.skip("needs a device that is always full, as Linux has in /dev/full")
    work = tmp_path / "work"
    work.mkdir()
    (work / "new-epoch-002.keras").symlink_to(FULL)
    command = ["train", str(phantoms), "--arch", "dense", "--weights", "none", "--head-epochs", "0", "--epochs", "3", "--batch-size", "8"]
    command += ["--tracking", "none", "--work", str(work), "--out", str(tmp_path / "package")]

    assert main(command) == 2
    told = capsys.readouterr().err
    assert (
        f"error: disk_full: Expected room for {work}. Received: No space left on device. Make room and run the command again: it goes on."
        in told
    )
    assert not (tmp_path / "package").exists()

    (work / "new-epoch-002.keras").unlink()
    assert main(command) == 0
    streams = capsys.readouterr()
    assert "epoch 1:" not in streams.err  # its progress bar: that epoch was kept
    assert re.search(r"^measured on \d+ pictures, \d+ patients: test patients of the same data set, ", streams.out, re.MULTILINE)
    assert re.search(r"^AUROC [\d.]+ \([\d.]+ to [\d.]+\), temperature [\d.]+$", streams.out, re.MULTILINE)
    assert re.search(r"^balanced: threshold [\d.]+ \(.*\), sensitivity [\d.]+ .*, specificity [\d.]+ ", streams.out, re.MULTILINE)
    with (work / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
    assert (tmp_path / "package/manifest.json").is_file()


def test_package_that_does_not_fit_is_one_line_and_leaves_nothing(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["export", str(package), "--out", str(tmp_path / "new"), "--tracking", "none"]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # no file may be larger: the network does not fit
    try:
        assert main(asked) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"error: cannot_write: Expected to write {tmp_path / 'new'}. Received: File too large." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(asked) == 0


def test_model_from_elsewhere_has_nowhere_to_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file/new"
    theirs = save_keras(softmax_with_gap(), tmp_path)
    asked = ["package", str(theirs), "--labels", "normal,bacterial pneumonia,viral pneumonia", "--out", str(place), "--tracking", "none"]
    assert main(asked) == 2
    assert f"error: cannot_write: Expected to write {place}. Received: Not a directory." in capsys.readouterr().err
