"""The promises of the store, held against every kind of it: a folder, Azurite, moto's S3, and Google's API as its documents describe it.

What Google itself does with `x-goog-if-generation-match` cannot be shown here: no emulator that can be installed enforces it for obstore.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import errors
from core.store import Store, open_store
from tests.core.conftest import REMOTE
from tests.support.emulators import Emulator
from tests.support.refusals import refuses

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


def test_what_was_put_comes_back(store: Store) -> None:
    data = bytes(range(256)) * 5000

    store.put("uploads/normal/5e.jpeg", data)

    assert store.get("uploads/normal/5e.jpeg") == data
    assert open_store_again(store) == ["uploads/normal/5e.jpeg"]


def open_store_again(store: Store) -> list[str]:
    return sorted(store.keys("uploads/"))


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.get("uploads/normal/none.jpeg") is None
    assert list(store.keys("uploads/")) == []
    assert store.children("uploads/") == []


def test_put_takes_the_place_of_what_is_there(store: Store) -> None:
    store.put("a/b", b"first, and longer")
    store.put("a/b", b"second")

    assert store.get("a/b") == b"second"


def test_create_leaves_what_is_there(store: Store) -> None:
    assert store.create("a/b", b"first") is True
    assert store.create("a/b", b"second") is False

    assert store.get("a/b") == b"first"


def test_empty_object_is_an_object(store: Store) -> None:
    assert store.create("a/empty", b"") is True

    assert store.get("a/empty") == b""
    assert list(store.keys("a/")) == ["a/empty"]


def test_keys_go_all_the_way_down_and_children_one_step(store: Store) -> None:
    for key in ("models/2/manifest.json", "models/10/report/roc.svg", "models/note", "modelsmore/x", "jobs/1"):
        store.put(key, b"x")

    assert sorted(store.keys("models/")) == ["models/10/report/roc.svg", "models/2/manifest.json", "models/note"]
    assert store.children("models/") == ["10", "2", "note"]
    assert store.children("") == ["jobs", "models", "modelsmore"]


@pytest.mark.parametrize("name", ["a b", "ä", "a%20b", "a+b=c&d", "a~b", ".hidden", "x..y", "a?b", "ü" * 60, "0" * 200])
def test_odd_name_is_itself(store: Store, name: str) -> None:
    assert store.create(f"odd/{name}", name.encode()) is True
    assert store.create(f"odd/{name}", b"") is False

    assert store.get(f"odd/{name}") == name.encode()
    assert list(store.keys("odd/")) == [f"odd/{name}"]


@pytest.mark.parametrize("key", ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/.", "a#1", "a\nb", "a\0"])
def test_key_that_leads_elsewhere_is_none(key: str, tmp_path: Path) -> None:
    store = open_store((tmp_path / "store").as_uri())

    for use in (store.get, lambda key: store.put(key, b"x"), lambda key: store.create(key, b"x")):
        with pytest.raises(ValueError, match="Expected a key"):
            use(key)
    assert list(tmp_path.rglob("*")) == []


def test_of_eight_processes_one_creates_each_object(url: str, store: Store) -> None:
    many = 25
    command = [sys.executable, "-m", "tests.support.stores", url]
    processes = [
        subprocess.Popen([*command, str(who), str(many)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for who in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [process.communicate(timeout=120)[0].split() for process in processes]

    assert sorted(int(number) for numbers in won for number in numbers) == list(range(many))
    for who, numbers in enumerate(won):
        for number in numbers:
            assert store.get(f"contested/{int(number):04d}") == f"{who}:{number}\n".encode() * 2000


def test_nothing_is_opened_before_it_is_used(tmp_path: Path) -> None:
    open_store((tmp_path / "store").as_uri())
    open_store("az://no/where")

    assert list(tmp_path.iterdir()) == []


BROKEN = {
    "a file in the way": "file://{here}/file/store",
    "another machine's folder": "file://elsewhere/store",
    "a scheme that nobody has": "ftp://elsewhere/store",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_store_that_cannot_be_says_so_when_it_is_used(broken: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refuses(open_store(broken.format(here=tmp_path)))


@pytest.mark.parametrize("kind", REMOTE)
def test_bucket_that_is_not_there_is_no_empty_store(
    kind: str, running: Callable[[str], Emulator], alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in running(kind).environ.items():
        monkeypatch.setenv(name, value)

    said = refuses(open_store(running(kind).url.replace("store", "nowhere")))

    assert "<" not in said


def test_read_only_folder_can_be_read_and_says_that_it_cannot_be_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = open_store(folder.as_uri())
    store.put("a/b", b"x")
    with as_somebody_who_may_only_read(folder):
        assert store.get("a/b") == b"x"
        assert store.create("a/b", b"y") is False
        for use in (lambda: store.put("a/b", b"y"), lambda: store.create("a/c", b"y")):
            with pytest.raises(errors.StoreUnavailable, match=r"Permission denied"):
                use()

    assert list(store.keys("a/")) == ["a/b"]


class as_somebody_who_may_only_read:
    """Take away the right to write: root has it whatever the mode says, so that root becomes nobody meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder, folder / "a"]
        self._above = [above for above in folder.parents if above.stat().st_mode & 0o011 != 0o011]

    def __enter__(self) -> None:
        for path in self._paths:
            path.chmod(0o555)
        (self._paths[1] / "b").chmod(0o444)
        if os.geteuid() == 0:
            for above in self._above:
                above.chmod(above.stat().st_mode | 0o011)
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        if os.getuid() == 0:
            os.seteuid(0)
            for above in self._above:
                above.chmod(above.stat().st_mode & ~0o011)
        for path in self._paths:
            path.chmod(0o755)
