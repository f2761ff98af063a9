from pathlib import Path

import numpy as np
import pytest

from training import dataset, errors, splits
from training.dataset import Dataset, Sample, digest, group
from training.names import KINDS

pytestmark = pytest.mark.train


def invent(patients_a_kind: int, seed: int = 0, twins: bool = True) -> Dataset:
    """A data set without files: one to six pictures a patient; with twins every twentieth is identical to one of another patient."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"{kind}/{patient}-{number}", kind, f"{kind}-{patient}")
        for kind in KINDS
        for patient in range(patients_a_kind)
        for number in range(int(rng.integers(1, 7)))
    ]
    digests = [f"{position - 7 if twins and position % 20 == 19 else position:064x}" for position in range(len(rows))]
    groups = group([patient for _, _, patient in rows], digests)
    samples = tuple(
        Sample(path=path, kind=kind, patient=patient, sha256=sha256, group=name)
        for (path, kind, patient), sha256, name in zip(rows, digests, groups, strict=True)
    )
    return Dataset(folder=Path(), samples=samples, sha256=digest(samples))


@pytest.mark.parametrize("seed", range(5))
def test_no_patient_and_no_identical_picture_is_in_two_parts(seed: int) -> None:
    data = invent(60, seed)
    parts = splits.split(data, seed)
    for field in ("patient", "sha256"):
        values = [{getattr(data.samples[position], field) for position in positions} for positions in parts.values()]
        assert sum(len(part) for part in values) == len(set.union(*values)), field


def test_every_picture_is_in_one_part() -> None:
    data = invent(40)
    assert sorted(position for positions in splits.split(data, 1).values() for position in positions) == list(range(len(data.samples)))


def test_every_kind_keeps_the_shares() -> None:
    data = invent(200)
    parts = splits.split(data, 3)
    for kind in KINDS:
        counts = [sum(data.samples[position].kind == kind for position in parts[part]) for part in splits.PARTS]
        assert np.allclose(np.array(counts) / sum(counts), splits.SHARES, atol=0.02)


def test_the_seed_decides_the_split() -> None:
    data = invent(40)
    assert splits.split(data, 1) == splits.split(data, 1)
    assert splits.split(data, 1) != splits.split(data, 2)


def test_three_patients_of_a_kind_are_enough_for_three_parts() -> None:
    data = invent(3, twins=False)
    for positions in splits.split(data, 1).values():
        assert {data.samples[position].kind for position in positions} == set(KINDS)


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(errors.TooFewPatients, match=r"Expected at least 3 patients of kind 'normal'.* Received: 2"):
        splits.split(invent(2, twins=False), 1)


def test_folds_hold_whole_patients_every_picture_once_and_every_kind(phantoms: Path) -> None:
    indexed = dataset.index(phantoms, progress=False)
    dealt = splits.folds(indexed, 4, seed=3)

    assert sorted(position for fold in dealt.values() for position in fold) == list(range(len(indexed.samples)))
    for fold in dealt.values():
        inside = {indexed.samples[position].group for position in fold}
        outside = {sample.group for position, sample in enumerate(indexed.samples) if position not in fold}
        assert inside & outside == set()
        assert {indexed.samples[position].kind for position in fold} == set(KINDS)
    assert dealt == splits.folds(indexed, 4, seed=3) != splits.folds(indexed, 4, seed=4)
