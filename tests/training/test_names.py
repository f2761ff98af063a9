"""What folders and names of files tell."""

import pytest

from training import errors, names

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("path", "kind", "patient"),
    [
        ("NORMAL/IM-0115-0001.jpeg", "normal", "IM-0115"),
        ("NORMAL/IM-0439-0001-0002.jpeg", "normal", "IM-0439"),
        ("NORMAL/NORMAL2-IM-0439-0001.jpeg", "normal", "NORMAL2-IM-0439"),
        ("NORMAL/holiday.jpeg", "normal", "NORMAL/holiday"),
        ("PNEUMONIA/person78_bacteria_381.jpeg", "bacterial pneumonia", "person78_bacteria"),
        ("PNEUMONIA/person78_virus_140.jpeg", "viral pneumonia", "person78_virus"),
        ("pneumonia/ward/Person78_VIRUS_140.png", "viral pneumonia", "person78_virus"),
        ("viral-pneumonia/scan.jpeg", "viral pneumonia", "VIRAL-PNEUMONIA/scan"),
        ("Bacterial pneumonia/person78_3.jpeg", "bacterial pneumonia", "person78"),
        ("bacteria/person78_virus_140.jpeg", "bacterial pneumonia", "person78_virus"),
        ("normal/person78_1.jpeg", "normal", "person78"),
        ("viral/IM-0115-0001.jpeg", "viral pneumonia", "IM-0115"),
        ("normal/17/1.png", "normal", "NORMAL/17/1"),
    ],
)
def test_folder_and_name_tell_kind_and_patient(path: str, kind: str, patient: str) -> None:
    assert names.describe(path) == (kind, patient)


@pytest.mark.parametrize("name", ["person78_fungus_1.jpeg", "scan.jpeg", "person_bacteria_1.jpeg"])
def test_a_pneumonia_file_that_tells_no_kind_is_refused(name: str) -> None:
    with pytest.raises(errors.UnknownKind, match=r"Expected names like .* Received: "):
        names.describe(f"PNEUMONIA/{name}")


@pytest.mark.parametrize(
    ("name", "patient"),
    [("scan.jpeg", "PNEUMONIA/scan"), ("Person78_3.jpeg", "person78"), ("person78_fungus_1.jpeg", "person78")],
)
def test_a_pneumonia_file_that_tells_no_kind_is_taken_where_no_kind_is_needed(name: str, patient: str) -> None:
    assert names.describe(f"PNEUMONIA/{name}", kinds_needed=False) == (names.PNEUMONIA, patient)


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("NORMAL/NORMAL2-IM-0439-0001.jpeg", True),
        ("PNEUMONIA/person78_virus_140.jpeg", True),
        ("PNEUMONIA/person78_3.jpeg", False),
        ("NORMAL/person78_3.jpeg", False),
        ("viral/person78_virus_140.jpeg", False),
        ("NORMAL/scan.jpeg", False),
    ],
)
def test_the_public_data_set_is_known_by_its_names(path: str, public: bool) -> None:
    assert names.is_public(path) == public
