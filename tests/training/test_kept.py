"""What is kept of a command's answers, on the disk: whole records only, of the same question only, until the command has ended well."""

import logging
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from training import errors, kept
from training.kept import Kept

pytestmark = pytest.mark.train

ASKED = {"package": "a" * 64, "corruptions": "quick"}


class Asked:
    """Works out an answer and remembers what it was asked about."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []

    def __call__(self, data: bytes) -> list[float]:
        self.pictures.append(data)
        return [len(data) / 3.0, data[0] / 7.0]


def answer(found: Kept, asked: Asked, part: str = "answers") -> Callable[[bytes], list[float]]:
    return found.remember(part, asked, list[float])


@contextmanager
def interrupted(folder: Path) -> Iterator[Kept]:
    """What is kept of the question, until the command is interrupted at the end of the block."""
    with suppress(KeyboardInterrupt), kept.opened(folder, "evaluate", ASKED) as found:
        yield found
        raise KeyboardInterrupt


def interrupt(folder: Path, *pictures: bytes) -> None:
    """Answer for pictures, and be interrupted."""
    with interrupted(folder) as found:
        for picture in pictures:
            answer(found, Asked())(picture)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_what_was_answered_before_an_interruption_is_not_asked_again_and_the_same(tmp_path: Path) -> None:
    interrupt(tmp_path, b"one", b"two!")
    asked, expected = Asked(), [Asked()(picture) for picture in (b"one", b"two!", b"three")]
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        ask = answer(found, asked)
        assert found.count == 2
        assert [ask(picture) for picture in (b"one", b"two!", b"three")] == expected
    assert asked.pictures == [b"three"]


def test_a_second_interruption_adds_to_the_first(tmp_path: Path) -> None:
    interrupt(tmp_path, b"one")
    interrupt(tmp_path, b"one", b"two")
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        assert found.count == 2
    assert files(tmp_path) == []


def test_nothing_is_left_of_a_command_that_has_ended_well_and_its_file_was_for_its_owner_alone(tmp_path: Path) -> None:
    with kept.opened(tmp_path / "runs/answers", "evaluate", ASKED) as found:
        assert not (tmp_path / "runs").exists()
        answer(found, Asked())(b"one")
        (file,) = files(tmp_path / "runs/answers")
        assert file.stat().st_mode & 0o077 == 0
    assert files(tmp_path / "runs/answers") == []


@pytest.mark.parametrize("other", [{"package": "b" * 64}, {"corruptions": "all"}, {"operating_point": "screening"}], ids=str)
def test_another_question_finds_nothing_and_leaves_what_is_kept(other: dict[str, str], tmp_path: Path) -> None:
    interrupt(tmp_path, b"one")
    with kept.opened(tmp_path, "evaluate", {**ASKED, **other}) as found:
        assert found.count == 0
    with kept.opened(tmp_path, "calibrate", ASKED) as found:
        assert found.count == 0
    assert len(files(tmp_path)) == 1


def test_other_code_asks_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path, b"one")
    (tmp_path / "changed").mkdir()
    (tmp_path / "changed/kept.py").write_text("changed = True")
    monkeypatch.setattr(kept, "__file__", str(tmp_path / "changed/kept.py"))
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        assert found.count == 0


def test_the_same_bytes_have_another_answer_in_another_part(tmp_path: Path) -> None:
    interrupt(tmp_path, b"one")
    asked = Asked()
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        answer(found, asked, "guard")(b"one")
    assert asked.pictures == [b"one"]


def test_a_last_record_torn_anywhere_is_asked_again_and_those_before_it_are_not(tmp_path: Path) -> None:
    interrupt(tmp_path, b"one", b"two")
    (file,) = files(tmp_path)
    data, record = file.read_bytes(), len(file.read_bytes()) // 2
    stem = file.name.rpartition("-")[0]
    for end in range(record, 2 * record):
        file.write_bytes(data[:end])
        assert Kept(tmp_path, stem).count == 1
    for rest in (b"\0" * 200, b"\xff" * 200, bytes([data[record] ^ 1]) + data[record + 1 :], data[record:-1] + b"?"):
        file.write_bytes(data[:record] + rest)
        assert Kept(tmp_path, stem).count == 1
    asked = Asked()
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        assert [answer(found, asked)(picture) for picture in (b"one", b"two")] == [Asked()(b"one"), Asked()(b"two")]
    assert asked.pictures == [b"two"]


def test_two_of_the_same_command_do_not_harm_each_other(tmp_path: Path) -> None:
    pictures = [b"%d" % number for number in range(40)]
    with kept.opened(tmp_path, "evaluate", ASKED) as first:
        answer(first, Asked())(pictures[0])
        with interrupted(tmp_path) as second:
            for picture in pictures[:20]:
                answer(second, Asked())(picture)
            with kept.opened(tmp_path, "evaluate", ASKED) as third:
                assert third.count == 20
            for picture in pictures[20:]:  # its file was removed by the third, which had read it
                assert answer(second, Asked())(picture) == Asked()(picture)
                assert answer(first, Asked())(picture) == Asked()(picture)
    assert files(tmp_path) == []


def test_threads_write_whole_records_to_one_file(tmp_path: Path) -> None:
    pictures, together = [os.urandom(20) for _ in range(160)], threading.Barrier(8)

    def work(data: bytes) -> list[float]:
        together.wait()
        return Asked()(data)

    with interrupted(tmp_path) as found, ThreadPoolExecutor(8) as pool:
        list(pool.map(found.remember("answers", work, list[float]), pictures))
    assert len(files(tmp_path)) == 1
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        assert found.count == len(pictures)


def test_a_folder_that_cannot_be_written_to_is_one_warning_and_all_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING), kept.opened(tmp_path / "file/answers", "evaluate", ASKED) as found:
        assert [answer(found, Asked())(picture) for picture in (b"one", b"two")] == [Asked()(b"one"), Asked()(b"two")]
    (line,) = caplog.messages
    assert line.startswith("nothing is kept for an interruption: Expected to write in ")
    assert "Received: Not a directory." in line


@contextmanager
def limited(size_bytes: int) -> Iterator[None]:
    """Files of this process cannot grow beyond: as on a disk that fills up, the last write is cut short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_is_one_warning_and_what_was_kept_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with interrupted(tmp_path) as found:
        ask = answer(found, Asked())
        with limited(150):
            assert [ask(b"%d" % number) for number in range(3)] == [Asked()(b"%d" % number) for number in range(3)]
        assert [file.stat().st_size for file in files(tmp_path)] == [150]
        ask(b"when there is room again")
    assert len(caplog.messages) == 1
    assert [file.stat().st_size for file in files(tmp_path)] == [150]
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        assert found.count == 2


def test_the_seconds_of_before_are_counted_on(tmp_path: Path) -> None:
    interrupt(tmp_path, *(b"%d" % number for number in range(500)))
    with interrupted(tmp_path) as found:
        answer(found, Asked())(b"499")
        first, began = found.seconds, time.perf_counter()
        for number in range(500, 1000):
            answer(found, Asked())(b"%d" % number)
        second = time.perf_counter() - began
    with kept.opened(tmp_path, "evaluate", ASKED) as found:
        again = answer(found, Asked())
        assert found.seconds == 0.0  # those of another part of the command are not its own
        again(b"499")
        assert found.seconds == first > 0.0
        again(b"999")
        assert found.seconds >= first + 0.9 * second


def test_nothing_is_left_of_a_command_that_was_refused_for_good(tmp_path: Path) -> None:
    def refuse() -> None:
        with kept.opened(tmp_path, "calibrate", ASKED) as found:
            answer(found, Asked())(b"picture")
            raise errors.SeenInTraining("Expected other pictures. Received: these.")

    with pytest.raises(errors.SeenInTraining):
        refuse()
    assert files(tmp_path) == []


def test_what_nobody_went_on_with_for_a_month_is_removed(tmp_path: Path) -> None:
    interrupt(tmp_path, b"one")
    (file,) = files(tmp_path)
    (tmp_path / "another").touch()
    for path, days in ((file, 29), (tmp_path / "another", 31)):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - days * 86400))
    with kept.opened(tmp_path, "explore", {}):
        assert files(tmp_path) == sorted([file, tmp_path / "another"])
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime - 2 * 86400))
    with kept.opened(tmp_path, "explore", {}):
        assert files(tmp_path) == [tmp_path / "another"]
