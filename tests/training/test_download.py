"""Downloads that break off, change, lie or find no room."""

import hashlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.shop import Shop, opened
from training import download, errors

pytestmark = pytest.mark.train

CONTENT = np.random.default_rng(0).bytes(3_000_000)  # many chunks
PART = 16 * 65_536  # a whole number of chunks


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened(CONTENT) as shop:
        yield shop


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def fetch(shop: Shop, folder: Path, content: bytes = CONTENT) -> list[float]:
    """Download, and return how long was waited between attempts."""
    pauses: list[float] = []
    download.download(shop.url, hashlib.sha256(content).hexdigest(), folder / "file.zip", progress=False, pause=pauses.append)
    return pauses


def only_file(folder: Path) -> bytes:
    (path,) = folder.iterdir()
    assert path.name == "file.zip"
    return path.read_bytes()


def test_a_file_arrives_whole_and_leaves_nothing_else(shop: Shop, tmp_path: Path) -> None:
    assert fetch(shop, tmp_path) == []
    assert only_file(tmp_path) == CONTENT


def test_a_file_that_is_there_is_not_asked_for_again(shop: Shop, tmp_path: Path) -> None:
    fetch(shop, tmp_path)
    fetch(shop, tmp_path)
    assert len(shop.requests) == 1


def test_a_cut_connection_goes_on_from_the_last_byte(shop: Shop, tmp_path: Path) -> None:
    shop.break_after = [PART, 10 * 65_536]
    pauses = fetch(shop, tmp_path)
    assert shop.requests == ["", f"bytes={PART}-", f"bytes={PART + 10 * 65_536}-"]
    assert len(pauses) == 2
    assert only_file(tmp_path) == CONTENT


def test_the_next_run_goes_on_where_the_last_one_gave_up(shop: Shop, tmp_path: Path) -> None:
    shop.break_after = [PART, 0, 0, 0, 0]
    with pytest.raises(errors.DownloadInterrupted, match=r"Received: 1,048,576 bytes of it \(.*\)\. The same command goes on"):
        fetch(shop, tmp_path)
    before = len(shop.requests)
    fetch(shop, tmp_path)
    assert shop.requests[before:] == [f"bytes={PART}-"]
    assert only_file(tmp_path) == CONTENT


def test_waiting_grows_until_it_gives_up(shop: Shop, tmp_path: Path) -> None:
    shop.break_after = [0] * 10
    pauses: list[float] = []
    with pytest.raises(errors.DownloadInterrupted):
        download.download(shop.url, "0" * 64, tmp_path / "file.zip", progress=False, pause=pauses.append)
    assert pauses == [1.0, 2.0, 4.0]


def test_a_server_that_does_not_resume_is_named_and_started_over(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop.ranges, shop.break_after = False, [PART]
    fetch(shop, tmp_path)
    assert only_file(tmp_path) == CONTENT
    assert "range_not_supported: The server does not resume downloads: starting over, 1,048,576 bytes are lost." in caplog.text


def test_a_file_that_changes_in_between_is_not_mixed_with_the_old_one(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop.break_after = [PART, 0, 0, 0, 0]
    with pytest.raises(errors.DownloadInterrupted):
        fetch(shop, tmp_path)
    shop.content, shop.etag = CONTENT[::-1], '"two"'
    fetch(shop, tmp_path, CONTENT[::-1])
    assert only_file(tmp_path) == CONTENT[::-1]
    assert "file_changed: The file has changed on the server" in caplog.text


def test_a_server_that_ignores_the_condition_and_sends_the_rest_of_another_file_is_caught(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop.break_after = [PART, 0, 0, 0, 0]
    with pytest.raises(errors.DownloadInterrupted):
        fetch(shop, tmp_path)
    shop.content, shop.etag, shop.conditions = CONTENT[::-1], '"two"', False
    fetch(shop, tmp_path, CONTENT[::-1])
    assert only_file(tmp_path) == CONTENT[::-1]
    assert "file_changed: The server answers with another part or another file" in caplog.text


def test_a_server_that_misses_the_offset_is_started_over(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop.break_after, shop.shift = [PART], 7
    fetch(shop, tmp_path)
    assert shop.requests == ["", f"bytes={PART}-", ""]
    assert only_file(tmp_path) == CONTENT
    assert "file_changed: The server answers with another part" in caplog.text


def test_a_file_that_shrank_is_started_over(shop: Shop, tmp_path: Path) -> None:
    shop.etag, shop.break_after = "", [2 * PART, 0, 0, 0, 0]
    with pytest.raises(errors.DownloadInterrupted):
        fetch(shop, tmp_path)
    shop.content = CONTENT[:500_000]
    fetch(shop, tmp_path, CONTENT[:500_000])
    assert only_file(tmp_path) == CONTENT[:500_000]


def test_a_part_that_is_whole_already_is_not_fetched_again(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").write_bytes(CONTENT)
    (tmp_path / "file.zip.part.json").write_bytes(msgspec.json.encode(download.Waiting(shop.url, shop.etag, len(CONTENT))))
    fetch(shop, tmp_path)
    assert shop.requests == [f"bytes={len(CONTENT)}-"]
    assert only_file(tmp_path) == CONTENT


def test_a_part_of_another_address_is_not_gone_on_with(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").write_bytes(b"something else")
    fetch(shop, tmp_path)
    assert shop.requests == [""]
    assert only_file(tmp_path) == CONTENT


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_asked_again(status: int, shop: Shop, tmp_path: Path) -> None:
    shop.statuses = [status, status]
    assert len(fetch(shop, tmp_path)) == 2
    assert only_file(tmp_path) == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_ends_it_at_once(status: int, shop: Shop, tmp_path: Path) -> None:
    shop.statuses = [status]
    with pytest.raises(errors.DownloadRefused, match=rf"Expected status 200 or 206 from http.* Received: {status}"):
        fetch(shop, tmp_path)
    assert len(shop.requests) == 1


def test_a_wrong_digest_is_refused_and_the_file_removed(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(errors.WrongDigest, match=r"Expected a file with sha256 [0-9a-f]{64} at http"):
        fetch(shop, tmp_path, b"another")
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_named_with_its_reason(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.NoNetwork, match=r"Expected an answer from http://127.* Received none: .*refused"):
        download.download(f"http://127.0.0.1:{port}/", "0" * 64, tmp_path / "file.zip", progress=False, pause=lambda _: None)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "gopher://127.0.0.1/", "no address"])
def test_addresses_other_than_http_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(errors.DownloadRefused, match=r"Expected an address that can be downloaded\. Received: "):
        download.download(url, "0" * 64, tmp_path / "file.zip", progress=False)


def test_a_disk_that_is_too_small_is_named_before_the_first_byte(shop: Shop, tmp_path: Path) -> None:
    shop.claimed_bytes = 10**18
    with pytest.raises(errors.DiskFull, match=r"Expected 1,000,000,000,000,000,000 bytes of room"):
        fetch(shop, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has: a file on a disk without room")
def test_a_disk_that_fills_up_on_the_way_is_named(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file.zip.part").symlink_to("/dev/full")
    (tmp_path / "file.zip.part.json").write_bytes(msgspec.json.encode(download.Waiting(shop.url, shop.etag, len(CONTENT))))
    with pytest.raises(errors.DiskFull, match=r"Expected room for .* Received: No space left on device"):
        fetch(shop, tmp_path)


def test_what_goes_wrong_in_between_is_told_with_its_code(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop.break_after = [PART]
    with caplog.at_level(logging.WARNING):
        fetch(shop, tmp_path)
    assert "download_interrupted: Expected the whole file. Received: 1,048,576 bytes of it" in caplog.text
