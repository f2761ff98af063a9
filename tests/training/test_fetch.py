"""A data set from its publisher: unpacked safely, once, and cited."""

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cli.main import main
from tests.training.shop import opened
from training import archive, errors, fetch

pytestmark = pytest.mark.train

FILES = {"chest_xray/train/NORMAL/IM-0001-0001.jpeg": b"one", "chest_xray/test/PNEUMONIA/person1_virus_1.jpeg": b"two" * 1000}


def zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.mkdir("chest_xray")
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def tarred(files: Mapping[str, bytes], change: Callable[[tarfile.TarInfo], None] = lambda info: None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            change(info)
            packed.addfile(info, io.BytesIO(content if info.isfile() else b""))
    return stream.getvalue()


def linked(files: Mapping[str, bytes]) -> bytes:
    """A zip whose members are symbolic links, as Unix writes them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(info, content)
    return stream.getvalue()


def unpack(data: bytes, folder: Path) -> dict[str, int]:
    folder.mkdir(exist_ok=True)
    packed = folder.parent / "packed"
    packed.write_bytes(data)
    return archive.unpack(packed, folder, progress=False)


def inside(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])
def test_an_archive_is_unpacked_and_its_files_listed(pack: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path) -> None:
    assert unpack(pack(FILES), tmp_path / "data") == {name: len(content) for name, content in FILES.items()}
    assert inside(tmp_path / "data") == dict(sorted(FILES.items()))


def test_what_macos_adds_is_left_out(tmp_path: Path) -> None:
    litter = {"__MACOSX/chest_xray/._x.jpeg": b"x", "chest_xray/.DS_Store": b"x", "chest_xray/train/._a.jpeg": b"x"}
    unpack(zipped({**FILES, **litter}), tmp_path / "data")
    assert inside(tmp_path / "data").keys() == FILES.keys()


UNSAFE = {
    "a way up": "../evil",
    "a way up in the middle": "a/../../evil",
    "a way up that comes back": "a/../evil",
    "an absolute path": "/tmp/evil-of-a-test",
    "a drive": "C:evil",
    "a backslash": "..\\evil",
}


@pytest.mark.parametrize("name", UNSAFE.values(), ids=UNSAFE.keys())
@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])
def test_a_name_that_leads_outside_is_refused_before_anything_is_written(
    pack: Callable[[Mapping[str, bytes]], bytes], name: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.ArchiveUnsafe, match="Expected names within the folder"):
        unpack(pack({**FILES, name: b"evil"}), tmp_path / "data")
    assert inside(tmp_path / "data") == {}
    assert not (tmp_path / "evil").exists()


def become(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, "/etc/passwd", 0

    return change


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with pytest.raises(errors.ArchiveUnsafe, match="which is a link or a device"):
        unpack(tarred({"a": b""}, become(kind)), tmp_path / "data")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ArchiveUnsafe, match="which is a link or a device"):
        unpack(linked({"a": b"/etc/passwd"}), tmp_path / "data")


def test_a_link_that_lies_in_the_folder_is_not_followed_outside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data/chest_xray").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.ArchiveUnsafe):
        unpack(zipped(FILES), tmp_path / "data")
    assert inside(tmp_path / "elsewhere") == {}


def test_another_file_of_a_members_name_is_not_overwritten(tmp_path: Path) -> None:
    name = next(iter(FILES))
    (tmp_path / "data" / name).parent.mkdir(parents=True)
    (tmp_path / "data" / name).write_bytes(b"own")  # the same size
    with pytest.raises(errors.FileExists, match=r"Expected .*IM-0001-0001\.jpeg to be free"):
        unpack(zipped(FILES), tmp_path / "data")
    assert (tmp_path / "data" / name).read_bytes() == b"own"


def test_unpacking_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    unpack(zipped(dict([next(iter(FILES.items()))])), tmp_path / "data")
    unpack(zipped(FILES), tmp_path / "data")
    assert inside(tmp_path / "data") == dict(sorted(FILES.items()))


def damaged(data: bytes) -> bytes:
    """Some bytes within the first member turned over."""
    middle = len(data) // 3
    return data[:middle] + bytes(255 - byte for byte in data[middle : middle + 8]) + data[middle + 8 :]


BROKEN = {
    "neither zip nor tar": b"<html>Please log in</html>",
    "empty": b"",
    "a zip cut off": zipped(FILES)[:-30],
    "a tar.gz cut off": tarred({"a": np.random.default_rng(0).bytes(20_000)})[:-5_000],
    "a damaged zip": damaged(zipped({"a": hashlib.sha256(b"").digest() * 8})),
    "gzip of something else": gzip.compress(b"no tar"),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_damaged_archive_is_named_and_leaves_no_half_file(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(errors.ArchiveUnreadable, match=r"Expected a .*zip or tar archive\. Received: packed"):
        unpack(data, tmp_path / "data")
    assert inside(tmp_path / "data") == {}


def command(url: str, data: bytes, target: Path, *more: str) -> int:
    return main(["fetch-data", str(target), "--url", url, "--sha256", hashlib.sha256(data).hexdigest(), *more])


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_command_fetches_unpacks_and_does_nothing_the_second_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = zipped(FILES)
    with opened(data) as shop:
        assert command(shop.url, data, tmp_path / "new/data") == 0
        assert "fetched into" in capsys.readouterr().out
        assert command(shop.url, data, tmp_path / "new/data") == 0
        assert len(shop.requests) == 1
    printed = capsys.readouterr().out
    assert "nothing to do, all is there" in printed
    assert f"pneumonia explore {tmp_path / 'new/data'}" in printed
    assert inside(tmp_path / "new/data").keys() == {*FILES, fetch.RECEIPT}


def test_a_file_that_went_missing_is_fetched_again(tmp_path: Path) -> None:
    data = zipped(FILES)
    with opened(data) as shop:
        command(shop.url, data, tmp_path)
        (tmp_path / next(iter(FILES))).unlink()
        assert command(shop.url, data, tmp_path) == 0
        assert len(shop.requests) == 2
    assert FILES.keys() < inside(tmp_path).keys()


def test_a_file_that_was_changed_is_noticed_and_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = zipped(FILES)
    with opened(data) as shop:
        command(shop.url, data, tmp_path)
        (tmp_path / next(iter(FILES))).write_bytes(b"longer than it was")
        assert command(shop.url, data, tmp_path) == 2
    assert "error: file_exists: Expected " in capsys.readouterr().err


def test_the_archive_can_be_kept(tmp_path: Path) -> None:
    data = zipped(FILES)
    with opened(data) as shop:
        command(shop.url, data, tmp_path, "--keep-archive")
    assert inside(tmp_path)["archive"] == data


def test_the_publishers_own_archive_comes_with_licence_and_citation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipt = fetch.Receipt(fetch.PUBLISHED.url, fetch.PUBLISHED.sha256, {})
    (tmp_path / fetch.RECEIPT).write_bytes(msgspec.json.encode(receipt))

    assert main(["fetch-data", str(tmp_path)]) == 0

    printed = capsys.readouterr().out
    assert "Licence: CC BY 4.0" in printed
    assert "doi: 10.17632/rscbjbr9sj.2" in printed


@pytest.mark.parametrize(
    "options",
    [["--url", "http://127.0.0.1/x"], ["--sha256", "abc"], ["--url", "http://127.0.0.1/x", "--sha256", "g" * 64]],
    ids=["no digest", "a short digest", "no hexadecimal digits"],
)
def test_what_cannot_be_checked_is_not_fetched(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch-data", str(tmp_path / "data"), *options]) == 2

    assert capsys.readouterr().err.startswith("error: invalid_option: Expected ")
    assert not (tmp_path / "data").exists()


def test_a_target_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(b"")

    assert main(["fetch-data", str(tmp_path / "file")]) == 2

    assert capsys.readouterr().err.startswith("error: cannot_write: Expected to write ")
