"""What a retraining learns from: every picture in the part that it always had, none in two, none that does not count."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from core.manifest import InputContract
from core.store import Store, open_store
from tests.training import retraining
from tests.training.conftest import draw_dataset
from training import dataset, errors, intake, names, splits
from training.assembly import LABELS
from training.names import BACTERIAL, NORMAL, VIRAL

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=32, width_px=32, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)
NAMES = [label.name for label in LABELS]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store((tmp_path / "store").as_uri())


def gather(store: Store, base: Path | None = None) -> intake.Intake:
    return intake.gather(store, intake.find_uploads(store, NAMES), base, LABELS, CONTRACT, seed=1)


def parts(found: intake.Intake) -> dict[str, str]:
    samples = found.pictures.dataset.samples
    return {samples[position].sha256: part for part, positions in found.split.items() for position in positions}


def test_part_of_an_upload_never_changes_and_keeps_the_shares(store: Store) -> None:
    retraining.upload_some(store, {NORMAL: 6, VIRAL: 4})
    before = parts(gather(store))
    retraining.upload_some(store, {BACTERIAL: 10}, first_seed=50)
    after = parts(gather(store))

    assert before.items() <= after.items()
    dealt = [intake.part(hashlib.sha256(str(number).encode()).hexdigest()) for number in range(20_000)]
    for part, share in zip(splits.PARTS, intake.SHARES, strict=True):
        assert dealt.count(part) / len(dealt) == pytest.approx(share, abs=0.01)


def test_picture_without_its_record_or_of_an_unknown_label_does_not_count(store: Store) -> None:
    kept = retraining.upload(store, NORMAL, retraining.picture(NORMAL, 1))
    retraining.upload(store, "a kind that nobody allowed", retraining.picture(VIRAL, 2))
    store.put(f"uploads/normal/{'0' * 64}.jpeg", retraining.picture(NORMAL, 3))
    for label in (NORMAL, VIRAL):  # which is right?
        retraining.upload(store, label, retraining.picture(VIRAL, 4))

    assert [upload.sha256 for upload in intake.find_uploads(store, NAMES)] == [kept]


def test_base_data_set_keeps_its_split_and_an_upload_of_it_is_no_second_picture(store: Store, tmp_path: Path) -> None:
    base = draw_dataset(tmp_path / "base")
    retraining.upload(store, NORMAL, (base / "NORMAL/IM-0001-0001.jpeg").read_bytes())
    retraining.upload_some(store, {VIRAL: 3})
    found, alone = gather(store, base), dataset.index(base, progress=False)

    split = splits.split(alone, 1)
    samples = found.pictures.dataset.samples
    for part, positions in split.items():
        known = {alone.samples[position].path for position in positions}
        assert known == {samples[position].path for position in found.split[part] if samples[position].path.startswith(("NORMAL", "PNEU"))}
    assert (len(samples), found.uploads, found.base_sha256) == (len(alone.samples) + 3, 3, alone.sha256)
    assert found.pictures.grey.shape == (len(samples), 32, 32)
    assert sum(map(len, found.split.values())) == len(samples)
    held_out = found.pictures.take(found.split["test"])
    assert held_out.paths.tolist() == [samples[position].path for position in found.split["test"]]
    of_base = [path.startswith(("NORMAL", "PNEU")) for path in found.pictures.paths.tolist()]
    assert [names.tells_patient(patient) for patient in found.pictures.groups.tolist()] == of_base  # nobody tells whose an upload is


def test_held_out_pictures_are_laid_out_by_label_as_they_came(store: Store, tmp_path: Path) -> None:
    retraining.upload_some(store, {NORMAL: 12, VIRAL: 12})
    found = gather(store, draw_dataset(tmp_path / "base"))
    folder = intake.lay_out(store, found, tmp_path / "out", [NORMAL])

    files = [path for path in folder.rglob("*") if path.is_file()]
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert digests == {sha256 for sha256, part in parts(found).items() if part == "test"}
    assert {path.relative_to(folder).parts[0] for path in files} == {NORMAL, "pneumonia"}


def test_unreadable_upload_is_left_out(store: Store) -> None:
    retraining.upload(store, NORMAL, b"no picture")
    retraining.upload(store, NORMAL, retraining.picture(NORMAL, 1))
    found = gather(store)

    assert len(found.pictures.dataset.samples) == 1
    assert len(found.pictures.unreadable) == 1


def test_nothing_to_learn_from_is_told(store: Store) -> None:
    with pytest.raises(errors.NoPictures, match="PNEUMONIA_BASE_DATASET"):
        gather(store)


def test_base_data_set_of_kinds_that_the_model_lacks_is_refused(store: Store, tmp_path: Path) -> None:
    fewer = tuple(label for label in LABELS if label.name != VIRAL)
    with pytest.raises(errors.UnknownKind, match="viral"):
        intake.gather(store, (), draw_dataset(tmp_path / "base"), fewer, msgspec.structs.replace(CONTRACT), seed=1)
