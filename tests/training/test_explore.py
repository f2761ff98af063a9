"""The exploration of a data set: what it counts, and that its sentences follow the figures."""

import hashlib
import json
from pathlib import Path

import pytest

from cli.main import main
from tests.training.chests import chest, draw, draw_dataset, look, said, store
from training import dataset, errors, explore

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 24 chests, one a patient."""
    return draw_dataset(tmp_path_factory.mktemp("varied"), 8)


@pytest.fixture(scope="module")
def plain(varied: Path) -> explore.Findings:
    return look(varied)


def test_classes_kinds_and_patients_are_counted(plain: explore.Findings) -> None:
    rows = [(row.part, row.kind, row.pictures, row.patients) for row in plain.composition.strata]

    part = next(iter(plain.parts))
    assert rows == [(part, "normal", 8, 8), (part, "bacterial pneumonia", 8, 8), (part, "viral pneumonia", 8, 8)]
    assert "PNEUMONIA is 2.0 times as frequent as NORMAL. Whoever always answers PNEUMONIA is right for 66.7 %" in said(plain, "Classes")


def test_what_is_said_changes_with_the_data(plain: explore.Findings, tmp_path: Path) -> None:
    for number in range(6):
        draw(tmp_path / f"NORMAL/IM-{number % 2:04d}-{number:04d}.jpeg", number)
        store(tmp_path / f"PNEUMONIA/person{number}_virus_{number}.jpeg", chest(50 + number)[:96] // 2)
    other = look(tmp_path)

    assert "balanced within a factor of 1.0" in said(other, "Classes")
    assert "Shown are 6 of 8 of kind normal, 6 of 8 of kind bacterial pneumonia and 6 of 8 of kind viral" in said(plain, "Samples")
    assert "All pictures are 128 × 128" in said(plain, "Size")
    assert "There are 2 sizes" in said(other, "Size")
    assert "tells the class strongly" in said(other, "Brightness")
    assert "Most has IM-0000: 3" in said(other, "Patients")
    assert "a split by picture is a split by patient" in said(plain, "Leakage")
    assert "48.0 % of them would leave a picture of the same patient" in said(other, "Leakage")
    changed = [title for title in plain.sentences if plain.sentences[title] != other.sentences[title]]
    assert changed == [title for title in plain.sentences if title != "Duplicates"]


def test_byte_size_that_gives_the_class_away_is_found(tmp_path: Path) -> None:
    for number in range(10):
        store(tmp_path / f"NORMAL/IM-{number:04d}-0001.jpeg", chest(number), quality=95)
        store(tmp_path / f"PNEUMONIA/person{number}_bacteria_1.jpeg", chest(50 + number), quality=30)
    found = look(tmp_path).shortcuts

    assert found.alone[0].feature == "bytes"
    assert found.alone[0].auroc.value == 1.0
    assert found.alone[0].larger_is == "negative"
    assert found.together is not None
    assert found.together.value > 0.9
    assert "a shortcut that a network will find" in said(look(tmp_path), "Dumb-feature baseline")


def test_unreadable_files_are_named_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(tmp_path / "data", 3)
    (tmp_path / "data/NORMAL/notes.txt").write_text("not a picture")
    whole = (tmp_path / "data/NORMAL/IM-0001-0001.jpeg").read_bytes()
    (tmp_path / "data/NORMAL/IM-0001-0001.jpeg").write_bytes(whole[: len(whole) // 2])

    assert main(["explore", str(tmp_path / "data"), "--out", str(tmp_path / "page.html"), "--json", "-"]) == 1

    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert [(file["path"], file["code"]) for file in found["unreadable"]] == [
        ("NORMAL/IM-0001-0001.jpeg", "truncated_picture"),
        ("NORMAL/notes.txt", "not_a_picture"),
    ]
    assert found["composition"]["pictures"] == 8
    assert "unreadable: data/NORMAL/notes.txt: not_a_picture: Expected a picture" in printed.err
    assert "2 files of 10 cannot be read" in (tmp_path / "page.html").read_text("utf-8")


def test_nothing_that_can_be_read_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    (tmp_path / "NORMAL").mkdir()
    (tmp_path / "NORMAL/a.jpeg").write_bytes(b"")

    with pytest.raises(errors.NoPictures, match=r"Received: 1 file that cannot, the first NORMAL/a.jpeg: not_a_picture"):
        look(tmp_path)


def test_empty_class_folders_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "NORMAL").mkdir()
    (tmp_path / "PNEUMONIA").mkdir()

    with pytest.raises(errors.NoPictures, match=r"Received: no file at all"):
        look(tmp_path)


@pytest.mark.parametrize(("inside", "received"), [((), "no folder at all"), (("cats",), "cats")], ids=["empty", "other folders"])
def test_a_folder_without_classes_is_refused_with_what_it_holds(inside: tuple[str, ...], received: str, tmp_path: Path) -> None:
    for name in inside:
        (tmp_path / name).mkdir()

    with pytest.raises(errors.NoClassFolders, match=rf"Expected one folder per class .* Received: {received}\.$"):
        look(tmp_path)


def test_a_class_with_one_patient_is_noted_and_the_rest_measured(tmp_path: Path) -> None:
    for number in range(4):
        draw(tmp_path / f"NORMAL/IM-{number:04d}-0001.jpeg", number)
        draw(tmp_path / f"PNEUMONIA/person1_virus_{number}.jpeg", 50 + number)
    found = look(tmp_path)

    assert [(note.code, note.text.rpartition(" kind ")[2]) for note in found.notes] == [
        ("too_few_patients", "bacterial pneumonia, to train, to choose and to report on. Received: 0."),
        ("too_few_patients", "viral pneumonia, to train, to choose and to report on. Received: 1."),
    ]
    assert found.shortcuts.alone
    assert found.shortcuts.together is None
    assert "Expected at least 2 patients of each class" in said(found, "Dumb-feature baseline")


def test_one_class_alone_is_explored_without_a_baseline(tmp_path: Path) -> None:
    draw(tmp_path / "NORMAL/IM-0001-0001.jpeg", 1)
    draw(tmp_path / "NORMAL/IM-0002-0001.jpeg", 2)
    draw(tmp_path / "NORMAL/IM-0003-0001.jpeg", 3)
    exploration = explore.explore([tmp_path], 1, progress=False)
    found = exploration.findings

    assert [note.code for note in found.notes] == ["missing_label"]
    assert "Only NORMAL is there" in said(found, "Classes")
    assert "The baseline cannot be measured. Expected NORMAL and another class. Received: NORMAL." in said(found, "Dumb-feature baseline")
    assert "To mend first" in explore.page(exploration)


def test_a_folder_for_each_kind_is_nothing_to_mend(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / f"normal/{number}.jpeg", number)
        draw(tmp_path / f"bacterial-pneumonia/{number}.jpeg", 20 + number)
        draw(tmp_path / f"viral-pneumonia/person{number}_1.jpeg", 50 + number)
    found = explore.explore([tmp_path], 1, progress=False).findings

    assert not found.notes
    kinds = {stratum.label: stratum.kind for stratum in found.composition.strata}
    assert kinds == {"NORMAL": "normal", "BACTERIAL-PNEUMONIA": "bacterial pneumonia", "VIRAL-PNEUMONIA": "viral pneumonia"}
    assert found.composition.unnamed == 6


def test_pneumonia_of_no_kind_can_be_evaluated_on_and_not_taught_from(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / f"NORMAL/{number}.jpeg", number)
        draw(tmp_path / f"PNEUMONIA/{number}.jpeg", 50 + number)
    (note,) = look(tmp_path).notes
    assert (note.code, note.text.partition("Received: ")[2]) == (
        "unknown_kind",
        "3 pictures of pneumonia of no kind. Such can be evaluated on.",
    )
    with pytest.raises(errors.UnknownKind):
        dataset.index(tmp_path, progress=False)


def test_classes_of_other_names_are_explored_and_noted(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / f"healthy/{number}.jpeg", number)
        draw(tmp_path / f"tuberculosis/{number}.jpeg", 50 + number)
    exploration = explore.explore([tmp_path], 1, progress=False)
    found = exploration.findings

    assert found.composition.labels == {"HEALTHY": 3, "TUBERCULOSIS": 3}
    assert [note.code for note in found.notes] == ["unknown_label", "missing_label"]
    assert "No file name tells a patient" in said(found, "Patients")
    assert "TUBERCULOSIS" in explore.page(exploration)


def test_an_archive_unpacked_into_a_folder_of_its_own_is_found(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "chest_xray/train", 1)
    draw_dataset(tmp_path / "chest_xray/test", 1)
    (tmp_path / "__MACOSX/train/NORMAL").mkdir(parents=True)

    assert look(tmp_path).parts == {"test": 3, "train": 3}


def test_two_data_sets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "one/train", 1)
    draw_dataset(tmp_path / "two/train", 1)

    assert look(tmp_path / "one/train", tmp_path / "two/train", tmp_path / "one/train").parts == {"one/train": 3, "two/train": 3}


def test_the_page_holds_every_section_and_the_json_the_same_figures(
    tmp_path: Path, varied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, record = tmp_path / "page.html", tmp_path / "record.json"
    page.write_text("an older one")

    assert main(["explore", str(varied), "--out", str(page), "--json", str(record), "--workers", "2"]) == 0

    found = json.loads(record.read_bytes())
    text = page.read_text("utf-8")
    assert all(f">{title}</h2>" in text for title in found["sentences"])
    assert text.count("data:image/png") >= 5
    assert found["composition"]["pictures"] == 24
    assert f"wrote {page}" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "record.json"]


def test_the_number_of_threads_changes_nothing(varied: Path, plain: explore.Findings) -> None:
    assert explore.explore([varied], 4, progress=False).findings == plain


@pytest.mark.parametrize("target", ["missing/page.html", "."])
def test_a_page_that_cannot_be_written_is_refused_before_the_work(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", str(tmp_path / "nowhere"), "--out", str(tmp_path / target)]) == 2

    assert capsys.readouterr().err.startswith("error: cannot_write: Expected ")


def test_fewer_than_one_worker_is_refused(varied: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["explore", str(varied), "--out", str(tmp_path / "page.html"), "--workers", "0"]) == 2

    assert capsys.readouterr().err == "error: invalid_option: Expected --workers of at least 1. Received: 0.\n"


def test_exploring_leaves_the_data_as_it_was(varied: Path) -> None:
    def digests() -> dict[Path, str]:
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in varied.rglob("*") if path.is_file()}

    before = digests()
    explore.page(explore.explore([varied], 1, progress=False))

    assert digests() == before
