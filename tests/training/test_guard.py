"""Fitting a guard to a network, by hand and by `pneumonia guard`, and what the card and an evaluation say of it."""

from pathlib import Path

import numpy as np
import pytest

from cli.main import main
from core import images, manifest, phantom
from core import package as packages
from core.guard import read
from core.manifest import GUARD_FILE, NETWORK_FILE
from core.network import Network
from core.settings import BAKED_MODEL
from tests.support.packages import copy
from tests.training.chests import chest, draw_dataset, store
from training import guard, outliers, outputs

pytestmark = pytest.mark.train

SIDE_PX = 224


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped package without its guard and without a reference for drift."""
    return copy(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("chests"), 130)


@pytest.fixture(scope="module")
def guarded(bare: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("guarded") / "package"
    assert main(["guard", str(bare), str(dataset), "--out", str(out)]) == 0
    return out


def stack(seeds: range) -> np.ndarray:
    return np.stack([phantom.chest(seed, SIDE_PX) for seed in seeds])


def test_outliers_are_the_same_for_the_same_seed_and_no_two_alike() -> None:
    chests = list(stack(range(4)))

    made = outliers.make(chests, 24, 7)

    assert {picture.shape for picture in made} == {(SIDE_PX, SIDE_PX)}
    assert {picture.dtype for picture in made} == {np.dtype(np.uint8)}
    assert all(np.array_equal(one, other) for one, other in zip(made, outliers.make(chests, 24, 7), strict=True))
    assert not any(np.array_equal(picture, known) for picture in made for known in chests)
    assert all(float(picture.std()) > 1.0 for picture in made)


@pytest.mark.parametrize("side_px", [16, 32, 64, 96, 224])
def test_what_is_no_chest_is_made_at_any_side(side_px: int) -> None:
    """The dense baseline takes 64 pixels: charts of eight bars have little room there."""
    made = outliers.make([phantom.chest(0, side_px)], 400, 0)
    assert {picture.shape for picture in made} == {(side_px, side_px)}
    assert all(float(picture.std()) > 1.0 for picture in made[-300:])  # of a small page there may be nothing but paper


def test_guard_knows_its_chests_from_what_is_none(bare: Path) -> None:
    network = Network((bare / NETWORK_FILE).read_bytes(), manifest.read(bare)[0], 2)
    contract = manifest.read(bare)[0].input
    chests = guard.Chests(stack(range(40)), stack(range(40, 72)), stack(range(72, 104)))

    fitted = guard.fit(network, contract, chests, progress=False)
    again = guard.fit(network, contract, chests, progress=False)

    assert fitted.decides == again.decides
    assert 0.0 < fitted.decides.warn_distance < fitted.decides.refuse_distance
    assert fitted.metrics["accepted"] >= 0.9
    assert fitted.metrics["made"]["accepted"] <= 0.3
    assert sum(fitted.decides.distance_shares) == pytest.approx(1.0, abs=1e-5)
    reference = read(fitted.file, manifest.read(bare)[0].embedding_size)
    assert len(fitted.file) < 80_000
    np.testing.assert_allclose(reference.directions @ reference.directions.T, np.eye(len(reference.directions)), atol=2e-3)


def test_command_adds_a_guard_and_leaves_the_network_alone(bare: Path, guarded: Path) -> None:
    before, after = manifest.read(bare)[0], manifest.read(guarded)[0]

    assert after.files[NETWORK_FILE] == before.files[NETWORK_FILE]
    assert GUARD_FILE in after.files
    assert after.guard is not None
    assert (after.origin.parent_version, after.operating_points) == (before.version, before.operating_points)
    assert len(after.metrics["score_histogram"]) == 10
    assert guard.GUARDED_FOR_CHILDREN in after.limits
    assert guard.UNGUARDED not in after.limits
    assert "## Guard" in (guarded / "CARD.md").read_text("utf-8")
    assert f"distance of {after.guard.warn_distance}" in (guarded / "CARD.md").read_text("utf-8")


@pytest.mark.parametrize(("for_children", "guarded"), [(True, guard.GUARDED_FOR_CHILDREN), (False, guard.GUARDED)])
def test_limits_say_whether_there_is_a_guard(for_children: bool, guarded: str) -> None:
    def limits(*before: str, accepted: float | None) -> tuple[str, ...]:
        measured = None if accepted is None else {"made": {"accepted": accepted}}
        return guard.limits(before, measured, for_children=for_children)

    assert limits(guard.UNGUARDED, "other", guarded, accepted=0.1) == (guarded, "other")
    assert limits(guarded, "other", accepted=0.8) == (guard.LEAKY, "other")
    assert limits(guard.LEAKY, "other", accepted=0.1) == (guarded, "other")
    assert limits(guarded, "other", accepted=None) == (guard.UNGUARDED, "other")


def test_what_older_packages_say_of_their_guard_goes_with_it() -> None:
    said = (
        "The guard refuses or warns of most pictures that are no frontal chest X-ray of a child, not of all: "
        "one that passes gets an answer, and it means nothing."
    )
    without = guard.limits((said, "other"), None, for_children=True)
    assert guard.UNGUARDED in without
    assert not any(limit.startswith("The guard refuses") for limit in without)


def test_guarded_package_accepts_its_chests_and_refuses_pages(guarded: Path, tmp_path: Path) -> None:
    classifier = packages.load(guarded)
    store(tmp_path / "chest.jpeg", chest(9_000), quality=90)
    page = outliers.make([phantom.chest(0, SIDE_PX)], 24, 1)[3]  # six are drawn, the fourth is a page
    store(tmp_path / "page.jpeg", page, quality=90)

    verdicts = [classifier.judge((tmp_path / name).read_bytes(), images.MAX_PIXELS)[1].verdict for name in ("chest.jpeg", "page.jpeg")]

    assert verdicts[0] == "accept"
    assert verdicts[1] in ("warn", "refuse")


def test_calibration_and_export_keep_the_guard(guarded: Path, tmp_path: Path) -> None:
    assert main(["export", str(guarded), "--out", str(tmp_path / "exported")]) == 0

    assert manifest.read(tmp_path / "exported")[0].guard == manifest.read(guarded)[0].guard
    assert packages.load(tmp_path / "exported")._guard is not None


def test_evaluation_counts_verdicts_on_the_data_set_and_on_other_pictures(guarded: Path, dataset: Path, tmp_path: Path) -> None:
    for number, picture in enumerate(outliers.make([phantom.chest(0, SIDE_PX)], 12, 3)[:3]):
        store(tmp_path / f"others/drawn/{number}.jpeg", picture, quality=90)
    store(tmp_path / "others/beside.jpeg", chest(9), quality=90)
    report = tmp_path / "evaluation.json"
    few = tmp_path / "few"
    for number in range(3):
        store(few / f"NORMAL/IM-{number:04d}-0001.jpeg", chest(number), quality=90)
        store(few / f"PNEUMONIA/person{number}_virus_1.jpeg", chest(200 + number), quality=90)
    command = ["evaluate", str(guarded), str(few), "--corruptions", "none", "--json", str(report)]

    assert main([*command, "--outliers", str(tmp_path / "others")]) == 0

    found = outputs.read(report, manifest.read(guarded)[0])
    assert found.guard is not None
    assert (found.guard.pictures, found.guard.unchecked) == (6, 0)
    assert [(row.kind, row.pictures) for row in found.outliers] == [("drawn", 3), ("others", 1)]
    assert main(["export", str(guarded), "--evaluation", str(report), "--out", str(tmp_path / "exported")]) == 0
    card = (tmp_path / "exported" / "CARD.md").read_text("utf-8")
    assert "--outliers OUTLIERS" in card
    assert "The others are of OUTLIERS, a folder of pictures for each kind that is no chest; " in card
    assert "| drawn | 3 |" in card


@pytest.mark.parametrize("content", ["nothing", "text"])
def test_outliers_without_a_picture_are_refused(content: str, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if content == "text":
        (tmp_path / "others" / "kind").mkdir(parents=True)
        (tmp_path / "others" / "kind" / "a.txt").write_text("no picture")
    command = ["evaluate", str(BAKED_MODEL), str(phantoms), "--corruptions", "none", "--outliers", str(tmp_path / "others")]

    assert main(command) == 2

    assert "error: nothing_to_evaluate: Expected folders of pictures" in capsys.readouterr().err


def test_command_refuses_too_few_pictures(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "few", 8)

    assert main(["guard", str(bare), str(folder), "--out", str(tmp_path / "out")]) == 2

    assert "error: too_few_patients: Expected at least 30 pictures" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
