"""What lies in the report of a package: drawings, the curves of its training, and pictures of patients only where they are asked for."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.main import main
from core import package as packages
from tests.support import packages as shipped
from tests.support.evaluations import FIGURES

pytestmark = pytest.mark.train

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_small_says_what_it_shows_and_holds_no_picture(name: str, evaluated: Path) -> None:
    data = (evaluated / f"report/{name}.svg").read_bytes()
    root = ElementTree.fromstring(data)
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title")
    assert len(list(root.iter(f"{SVG}text"))) > 5
    assert not list(root.iter(f"{SVG}image"))
    assert b"data:" not in data
    assert len(data) < 25_000
    assert f"](report/{name}.svg)" in (evaluated / "CARD.md").read_text()


def test_the_same_evaluation_gives_the_same_bytes(evaluated: Path, package: Path, tmp_path: Path) -> None:
    assert main(["export", str(package), "--evaluation", str(evaluated.parent / "evaluation.json"), "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/manifest.json").read_bytes() == (evaluated / "manifest.json").read_bytes()


def test_every_figure_is_followed_by_the_command_that_draws_it(evaluated: Path) -> None:
    parts = (evaluated / "CARD.md").read_text().split("\n\n")
    after = [parts[place + 1] for place, part in enumerate(parts) if part.startswith("![")]
    assert len(after) == len(FIGURES)
    assert all(part.startswith("Drawn by `pneumonia export ") for part in after)


def test_a_package_keeps_the_history_of_its_training_and_draws_it_again(package: Path, tmp_path: Path) -> None:
    history = (package.parent / "work/history.csv").read_bytes()
    assert (package / "history.csv").read_bytes() == history
    assert main(["export", str(package), "--out", str(tmp_path / "again")]) == 0
    for name in ("history.csv", "report/training.svg"):
        assert (tmp_path / "again" / name).read_bytes() == (package / name).read_bytes()
    assert "](report/training.svg)" in (tmp_path / "again/CARD.md").read_text()


def test_a_history_goes_into_a_package_that_has_none(tmp_path: Path) -> None:
    rows = "".join(f"{epoch},0.5,0.4,0.9,0.8\n" for epoch in range(1, 10))
    (tmp_path / "history.csv").write_text(f"epoch,fit_loss,tune_loss,tune_auroc,tune_auroc_shifted\n{rows}")
    parent = shipped.variant(tmp_path, lambda manifest: manifest["origin"]["config"].update(head_epochs=1, epochs=8))
    command = ["export", str(parent), "--history", str(tmp_path / "history.csv")]
    assert main([*command, "--out", str(tmp_path / "package")]) == 0
    assert {"history.csv", "report/training.svg"} <= set(packages.load(tmp_path / "package").manifest.files)


def test_pictures_of_patients_are_in_a_package_only_where_they_are_asked_for(package: Path, phantoms: Path, tmp_path: Path) -> None:
    report = tmp_path / "evaluation.json"
    assert main(["evaluate", str(package), str(phantoms), "--corruptions", "none", "--json", str(report)]) == 0
    found = json.loads(report.read_text())
    wrong = {"file": "NORMAL/IM-0003-0001.jpeg", "truth": "normal", "kind": None, "probability": 0.7, "decision": "positive"}
    report.write_text(json.dumps({**found, "mistakes": [wrong]}))
    command = ["export", str(package), "--evaluation", str(report)]
    assert main([*command, "--out", str(tmp_path / "without")]) == 0
    assert main([*command, "--out", str(tmp_path / "with"), "--patient-pictures", str(phantoms)]) == 0
    assert pictures(tmp_path / "without") == set()
    assert pictures(tmp_path / "with") == {"report/false-alarms.png"}
    assert "holds no picture of a patient" in (tmp_path / "without/CARD.md").read_text()
    text = (tmp_path / "with/CARD.md").read_text()
    assert "These are X-rays of patients" in text
    assert "holds no picture" not in text
    assert "IM-0003" not in text
    assert main(["export", str(tmp_path / "with"), "--evaluation", str(report), "--out", str(tmp_path / "again")]) == 0
    assert pictures(tmp_path / "again") == set()


def pictures(package: Path) -> set[str]:
    return {name for name in packages.load(package).manifest.files if name.endswith(".png")}
