import shutil
from pathlib import Path

import pytest

from core.manifest import InputContract
from tests.training.conftest import draw, draw_dataset
from training import dataset, errors, names, pictures

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=64, width_px=48, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)


def test_a_data_set_of_two_classes_is_indexed_where_no_kind_is_needed(tmp_path: Path) -> None:
    draw(tmp_path / "NORMAL/a.jpeg", 1)
    draw(tmp_path / "PNEUMONIA/b.jpeg", 2)
    draw(tmp_path / "PNEUMONIA/person3_virus_1.jpeg", 3)
    found = dataset.index(tmp_path, progress=False, kinds_needed=False)
    assert [sample.kind for sample in found.samples] == [names.NORMAL, names.PNEUMONIA, names.VIRAL]
    with pytest.raises(errors.UnknownKind):
        dataset.index(tmp_path, progress=False)


def test_a_folder_for_each_kind_is_taken_and_patients_whom_no_name_tells_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, folder in enumerate(("normal", "bacterial-pneumonia", "viral-pneumonia")):
        draw(tmp_path / folder / "a.jpeg", number)
    draw(tmp_path / "normal/IM-0001-0001.jpeg", 3)
    found = dataset.index(tmp_path, progress=False)
    assert [(sample.kind, sample.patient) for sample in found.samples] == [
        (names.BACTERIAL, "BACTERIAL-PNEUMONIA/a"),
        (names.NORMAL, "IM-0001"),
        (names.NORMAL, "NORMAL/a"),
        (names.VIRAL, "VIRAL-PNEUMONIA/a"),
    ]
    assert "3 of 4 names tell no patient" in caplog.text


def test_a_patient_who_was_healthy_once_and_ill_later_stays_together(tmp_path: Path) -> None:
    for number, path in enumerate(("normal/person12_1.jpeg", "normal/person12_2.jpeg", "viral-pneumonia/person12_3.jpeg")):
        draw(tmp_path / path, number)
    assert {sample.group for sample in dataset.index(tmp_path, progress=False).samples} == {"person12"}


def test_names_that_tell_every_patient_need_no_warning(phantoms: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset.index(phantoms, progress=False)
    assert not caplog.records


@pytest.mark.parametrize("folders", [("normal",), ("PNEUMONIA", "viral")], ids=["no pneumonia", "nothing normal"])
def test_normal_pictures_and_pneumonia_are_both_needed(folders: tuple[str, ...], tmp_path: Path) -> None:
    for folder in folders:
        draw(tmp_path / folder / "person1_virus_1.jpeg", 1)
    with pytest.raises(errors.NoClassFolders):
        dataset.index(tmp_path, progress=False)


def test_identical_pictures_join_their_patients_through_any_chain() -> None:
    patients = ["b", "a", "c", "c", "d", "e"]
    digests = ["1", "2", "2", "3", "3", "9"]
    assert dataset.group(patients, digests) == ["b", "a", "a", "a", "a", "e"]


def test_a_group_is_called_by_a_patient_whom_a_name_told_if_one_did() -> None:
    assert dataset.group(["NORMAL/a", "person1", "person1", "NORMAL/b"], ["1", "1", "2", "3"]) == ["person1"] * 3 + ["NORMAL/b"]


def test_the_digest_is_of_the_content_and_not_of_the_place(phantoms: Path, tmp_path: Path) -> None:
    shutil.copytree(phantoms, tmp_path / "copy")
    before = dataset.index(phantoms, progress=False)
    assert dataset.index(tmp_path / "copy", progress=False).sha256 == before.sha256
    draw(tmp_path / "copy/NORMAL/IM-0000-0001.jpeg", 999)
    assert dataset.index(tmp_path / "copy", progress=False).sha256 != before.sha256


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 1)
    (tmp_path / "NORMAL/.DS_Store").write_bytes(b"finder")
    assert [sample.path for sample in dataset.index(tmp_path, progress=False).samples] == [
        "NORMAL/IM-0000-0001.jpeg",
        "PNEUMONIA/person0_bacteria_0.jpeg",
        "PNEUMONIA/person0_virus_0.jpeg",
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.DatasetMissing, match=r"Expected a folder .* Received: .*nowhere"):
        dataset.index(tmp_path / "nowhere")


def test_a_folder_without_class_folders_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    with pytest.raises(errors.NoClassFolders, match=r"bacterial-pneumonia and viral-pneumonia, in .* Received: cats\."):
        dataset.index(tmp_path)


def test_unreadable_pictures_are_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    draw_dataset(tmp_path, 2)
    (tmp_path / "NORMAL/IM-0000-0001.jpeg").write_text("no picture")
    whole = dataset.index(tmp_path, progress=False)
    loaded = pictures.load(whole, CONTRACT, progress=False)
    assert loaded.unreadable == ("NORMAL/IM-0000-0001.jpeg",)
    assert loaded.grey.shape == (5, 64, 48)
    assert len(loaded.dataset.samples) == len(loaded.labels) == len(loaded.groups) == 5
    assert loaded.dataset.sha256 != whole.sha256
    assert "IM-0000-0001.jpeg is left out: not_a_picture: Expected" in caplog.text


def test_folders_of_other_classes_are_told_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    draw_dataset(tmp_path, 1)
    draw(tmp_path / "Tuberculosis/a.jpeg", 1)
    (tmp_path / ".cache").mkdir()

    assert len(dataset.index(tmp_path, progress=False).samples) == 3

    assert "and viral-pneumonia. Received as well: Tuberculosis." in caplog.text


def test_a_file_that_is_no_picture_may_have_any_name(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 2)
    (tmp_path / "PNEUMONIA/Thumbs.db").write_bytes(b"no picture")

    loaded = pictures.load(dataset.index(tmp_path, progress=False), CONTRACT, progress=False)

    assert loaded.unreadable == ("PNEUMONIA/Thumbs.db",)
    assert len(loaded.labels) == 6


def test_a_data_set_is_known_again_without_the_files_that_training_could_not_read(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 2)
    readable = dataset.index(tmp_path, progress=False)
    (tmp_path / "NORMAL/IM-0009-0001.jpeg").write_bytes(b"no picture")
    whole = dataset.index(tmp_path, progress=False)

    assert whole.as_trained(readable.sha256, progress=False) == readable
    assert whole.as_trained("0" * 64, progress=False) == whole
    assert whole.as_trained(None, progress=False) == whole


def test_labels_follow_the_order_of_kinds(phantoms: Path) -> None:
    loaded = pictures.load(dataset.index(phantoms, progress=False), CONTRACT, progress=False)
    assert [names.KINDS[label] for label in loaded.labels] == [sample.kind for sample in loaded.dataset.samples]
