"""Files of a local store, and what is left of them when their writer is killed at any moment."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import folder
from core.store import open_store

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from core.store import open_store
store = open_store(sys.argv[1])
for number in range(10**6):
    data = (b"%08d" % number) * 20_000
    written = store.put("over/same", data) or store.create(f"new/{number:08d}", data)
    print(number, flush=True)
"""


def test_everything_is_flushed_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before it gets its name, and every folder from its own up to the root after."""
    flushed: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append((path.name.partition("#")[0], (tmp_path / "a" / "b").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    folder.write(tmp_path, "a/b", b"x", over=False)

    assert flushed == [("b", False), ("a", True), (tmp_path.name, True)]


def test_file_that_another_wrote_is_flushed_before_it_counts_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)

    assert folder.write(tmp_path, "a", b"y", over=False) is False

    assert flushed
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("over", [False, True])
def test_full_disk_leaves_nothing_under_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: bool) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        folder.write(tmp_path, "a", b"x", over=over)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(20))
def test_writer_killed_at_any_moment_leaves_whole_files(tmp_path: Path, seed: int) -> None:
    url = tmp_path.as_uri()
    process = subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.05))
    process.kill()
    acknowledged = [int(line) for line in process.communicate()[0].split()]

    store = open_store(url)
    there = {key: store.get(key) for key in (*store.keys("new/"), *store.keys("over/"))}

    assert {f"new/{number:08d}" for number in acknowledged} <= set(there)
    for key, data in there.items():
        assert data is not None
        assert data == data[:8] * 20_000
        assert key == "over/same" or key.endswith(data[:8].decode())
