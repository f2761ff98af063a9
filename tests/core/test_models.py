"""Packages in the store: there whole or not at all, never another content under the same version, and refused when anything is wrong."""

from pathlib import Path

import pytest

from core import errors, models, package
from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE
from core.store import Store, open_store
from tests.support import packages


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


def version(parent: Path, name: str, temperature: float = 2.0) -> Path:
    return packages.variant(parent / f"{name}-{temperature}", lambda manifest: manifest.update(version=name, temperature=temperature))


def test_what_was_pushed_loads_as_from_its_folder(store: Store, tmp_path: Path) -> None:
    folder = version(tmp_path, "2.0.0")

    identity = models.push(store, folder)

    assert identity == package.load(folder).identity == models.load(store, "2.0.0").identity
    assert models.versions(store) == ["2.0.0"]
    assert models.manifest(store, "2.0.0")[1] == identity


def test_baked_package_can_be_pushed_with_all_its_files(store: Store) -> None:
    identity = models.push(store, packages.baked())

    assert set(store.keys(f"models/{identity.version}/")) == {
        f"models/{identity.version}/{path.relative_to(packages.baked())}" for path in packages.baked().rglob("*") if path.is_file()
    }


def test_pushing_again_changes_nothing_and_mends_what_is_damaged(store: Store, tmp_path: Path) -> None:
    folder = version(tmp_path, "2.0.0")
    identity = models.push(store, folder)
    store.put(f"models/2.0.0/{NETWORK_FILE}", b"damaged")
    with pytest.raises(errors.ModelUnavailable, match=NETWORK_FILE):
        models.load(store, "2.0.0")

    assert models.push(store, folder) == identity

    assert models.load(store, "2.0.0").identity == identity


def test_other_content_under_the_same_version_is_refused(store: Store, tmp_path: Path) -> None:
    identity = models.push(store, version(tmp_path, "2.0.0"))

    with pytest.raises(models.VersionExists, match=r"2\.0\.0"):
        models.push(store, version(tmp_path, "2.0.0", temperature=3.0))

    assert models.load(store, "2.0.0").identity == identity


def test_push_that_was_killed_half_way_leaves_no_version_and_can_be_repeated(store: Store, tmp_path: Path) -> None:
    store.put(f"models/2.0.0/{NETWORK_FILE}", b"half")

    assert models.versions(store) == []
    with pytest.raises(errors.UnknownVersion, match="none yet"):
        models.manifest(store, "2.0.0")
    with pytest.raises(errors.ModelUnavailable, match=MANIFEST_FILE):
        models.load(store, "2.0.0")

    models.push(store, version(tmp_path, "2.0.0"))
    assert models.versions(store) == ["2.0.0"]


def test_package_that_is_not_sound_is_not_pushed(store: Store, tmp_path: Path) -> None:
    folder = version(tmp_path, "2.0.0")
    packages.poison(folder)

    with pytest.raises(errors.ModelUnavailable, match="self-test"):
        models.push(store, folder)

    assert list(store.keys("models/")) == []


@pytest.mark.parametrize("file", [NETWORK_FILE, SELFTEST_FILE])
@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_incomplete_or_altered_version_is_refused_by_name(store: Store, tmp_path: Path, file: str, damage: str) -> None:
    models.push(store, version(tmp_path, "2.0.0"))
    if damage == "missing":
        (tmp_path / "store" / "models" / "2.0.0" / file).unlink()
    else:
        store.put(f"models/2.0.0/{file}", b"altered")

    with pytest.raises(errors.ModelUnavailable, match=file):
        models.load(store, "2.0.0")


def test_version_that_is_not_what_was_promoted_is_refused(store: Store, tmp_path: Path) -> None:
    models.push(store, version(tmp_path, "2.0.0"))

    with pytest.raises(errors.ModelUnavailable, match="that was promoted"):
        models.load(store, "2.0.0", manifest_sha256="f" * 64)


def test_package_under_another_version_is_refused(store: Store, tmp_path: Path) -> None:
    folder = version(tmp_path, "2.0.0")
    for path in folder.iterdir():
        store.put(f"models/9.0.0/{path.name}", path.read_bytes())

    with pytest.raises(errors.ModelUnavailable, match=r"9\.0\.0.*2\.0\.0"):
        models.load(store, "9.0.0")


@pytest.mark.parametrize("name", ["../../secret", "/secret", "a/../../x"])
def test_files_outside_the_package_are_not_read(store: Store, tmp_path: Path, name: str) -> None:
    folder = version(tmp_path, "2.0.0")
    packages.edit(folder, MANIFEST_FILE, lambda manifest: manifest["files"].update({name: "0" * 64}))
    for path in folder.iterdir():
        store.put(f"models/2.0.0/{path.name}", path.read_bytes())
    store.put("secret", b"x")

    with pytest.raises(errors.ModelUnavailable, match="within the package"):
        models.load(store, "2.0.0")
