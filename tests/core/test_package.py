"""Loading a model package: a sound one loads, and each way to break one is refused with a sentence that names it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core import errors, package, phantom, settings
from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE
from tests.support import packages
from tests.support.packages import Json, edit, sign

Break = Callable[[Path], object]


def manifest(change: packages.Change) -> Break:
    return lambda folder: edit(folder, MANIFEST_FILE, change)


def signed(change: Break) -> Break:
    """Break the package and sign it: only its content is wrong, not its digests."""

    def broken(folder: Path) -> None:
        change(folder)
        sign(folder)

    return broken


def selftest(change: packages.Change) -> Break:
    return signed(lambda folder: edit(folder, SELFTEST_FILE, change))


def first_case(**changes: object) -> Break:
    return selftest(lambda content: content["cases"][0].update(changes))


def list_file(name: str) -> Break:
    return manifest(lambda content: content["files"].update({name: hashlib.sha256(b"x").hexdigest()}))


def drop_label(content: Json) -> None:
    kept = [label for label in content["labels"] if label["name"] == content["negative"]]
    content["labels"] = [*kept, next(label for label in content["labels"] if label not in kept)]


def shift_expected(folder: Path) -> None:
    def shift(content: Json) -> None:
        shares = content["cases"][-1]["probabilities"]
        shares[0], shares[1] = shares[1], shares[0]
        shares[0] = min(1.0, shares[0] + 0.2)

    edit(folder, SELFTEST_FILE, shift)


def flip_bit(file: str) -> Break:
    def flip(folder: Path) -> None:
        data = bytearray((folder / file).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / file).write_bytes(data)

    return flip


def list_folder(folder: Path) -> None:
    (folder / "report").mkdir()
    list_file("report")(folder)


def link_out(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(b"x")
    (folder / "inside").symlink_to(outside)
    list_file("inside")(folder)


BROKEN: dict[str, tuple[Break, str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST_FILE).unlink(), "manifest.json"),
    "manifest that is no JSON": (lambda folder: (folder / MANIFEST_FILE).write_bytes(b"{"), "valid manifest.json"),
    "manifest that is not UTF-8": (lambda folder: (folder / MANIFEST_FILE).write_bytes(b'{"name": "\xff"}'), "manifest.json"),
    "self-test that is not UTF-8": (signed(lambda folder: (folder / SELFTEST_FILE).write_bytes(b'{"cases": "\xff"}')), "selftest.json"),
    "manifest without a field": (manifest(lambda content: content.pop("labels")), "labels"),
    "manifest with a wrong threshold": (manifest(lambda content: content["operating_points"][0].update(threshold=7)), "threshold"),
    "no network file": (lambda folder: (folder / NETWORK_FILE).unlink(), NETWORK_FILE),
    "no self-test file": (lambda folder: (folder / SELFTEST_FILE).unlink(), SELFTEST_FILE),
    "network not listed": (manifest(lambda content: content["files"].pop(NETWORK_FILE)), NETWORK_FILE),
    "self-test not listed": (manifest(lambda content: content["files"].pop(SELFTEST_FILE)), SELFTEST_FILE),
    "listed file missing": (list_file("CARD.md"), "CARD.md"),
    "one bit of the network": (flip_bit(NETWORK_FILE), NETWORK_FILE),
    "one bit of the self-test": (flip_bit(SELFTEST_FILE), SELFTEST_FILE),
    "file above the package": (list_file("../secret"), "within the package"),
    "file with an absolute path": (list_file("/etc/hostname"), "within the package"),
    "file through a link": (link_out, "within the package"),
    "file name that no file can have": (list_file("a\0b"), "null"),
    "folder listed as a file": (list_folder, "readable"),
    "network that is none": (signed(lambda folder: (folder / NETWORK_FILE).write_bytes(b"not a network")), "LiteRT network"),
    "network that is empty": (signed(lambda folder: (folder / NETWORK_FILE).write_bytes(b"")), "LiteRT network"),
    "network whose weights are no numbers": (packages.poison, "self-test case"),
    "another input size": (manifest(lambda content: content["input"].update(height_px=99)), "99"),
    "another number of channels": (manifest(lambda content: content["input"].update(channels=3)), "3"),
    "another number of labels": (manifest(drop_label), r"\(1, 2\)"),
    "another embedding": (manifest(lambda content: content.update(embedding_size=17)), "17"),
    "self-test that is no JSON": (signed(lambda folder: (folder / SELFTEST_FILE).write_bytes(b"[")), "selftest.json"),
    "self-test without cases": (selftest(lambda content: content.update(cases=[])), "cases"),
    "self-test without tolerance": (selftest(lambda content: content.update(tolerance=0)), "tolerance"),
    "self-test of other pixels": (first_case(pixels_sha256="0" * 64), "other pixels"),
    "self-test of another chest": (first_case(seed=987), "other pixels"),
    "self-test with other answers": (signed(shift_expected), "Expected probabilities"),
    "self-test with too few answers": (first_case(probabilities=[0.5, 0.5]), "Expected probabilities"),
    "temperature after the self-test": (manifest(lambda content: content.update(temperature=content["temperature"] * 3)), "self-test case"),
}


@pytest.mark.parametrize(("damage", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_package_is_refused_with_a_sentence_that_names_what_is_wrong(tmp_path: Path, damage: Break, named: str) -> None:
    folder = packages.copy(tmp_path)
    damage(folder)

    with pytest.raises(errors.ModelUnavailable, match=named) as caught:
        package.load(folder)

    assert str(caught.value).startswith("Expected ")
    assert "Received: " in str(caught.value)


def test_untouched_copy_loads(tmp_path: Path) -> None:
    folder = packages.copy(tmp_path)

    classifier = package.load(folder)

    assert classifier.identity.sha256 == hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
    assert classifier.identity.name == json.loads((folder / MANIFEST_FILE).read_bytes())["name"]


def test_report_of_a_package_goes_along_and_is_checked_like_the_rest(tmp_path: Path) -> None:
    folder = packages.copy(tmp_path)
    (folder / "report").mkdir()
    (folder / "report/roc.svg").write_text("<svg/>")
    sign(folder)

    assert "report/roc.svg" in package.load(folder).manifest.files

    (folder / "report/roc.svg").write_text("<svg> </svg>")
    with pytest.raises(errors.ModelUnavailable, match=r"report/roc\.svg"):
        package.load(folder)


def test_shipped_package_loads_with_all_its_files() -> None:
    classifier = package.load(settings.BAKED_MODEL)

    listed, there = set(classifier.manifest.files), {path for path in packages.baked().rglob("*") if path.is_file()}
    assert {str(path.relative_to(packages.baked())) for path in there} == listed | {MANIFEST_FILE}


def test_only_package_in_a_folder_is_picked(tmp_path: Path) -> None:
    packages.copy(tmp_path)
    (tmp_path / "not-a-package").mkdir()

    assert package.load(tmp_path).identity == package.load(tmp_path / packages.NAME).identity


def test_of_two_packages_none_is_picked_and_both_are_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST_FILE).write_bytes(b"{}")

    with pytest.raises(errors.ModelUnavailable, match="Received: one, two"):
        package.load(tmp_path)


@pytest.mark.parametrize("name", ["empty", "missing", "file"])
def test_place_without_a_package_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(errors.ModelUnavailable, match=f"{name}.*Received: none"):
        package.load(tmp_path / name)


def test_self_test_replays_phantoms_that_anyone_can_draw() -> None:
    for case in json.loads((packages.baked() / SELFTEST_FILE).read_bytes())["cases"]:
        pixels = phantom.chest(case["seed"], package.SELFTEST_SIDE_PX)
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == case["pixels_sha256"]
