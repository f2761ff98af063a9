"""Packages with their card and figures: `pneumonia export`."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from cli.main import main
from core import manifest, phantom
from core import package as packages
from tests.support.evaluations import FIGURES, report_of

pytestmark = pytest.mark.train

Capture = pytest.CaptureFixture[str]


def test_a_package_with_an_evaluation_loads_with_its_figures_signed(package: Path, evaluated: Path) -> None:
    before, after = (manifest.read(folder)[0] for folder in (package, evaluated))
    assert packages.load(evaluated).manifest.name == before.name
    assert set(after.files) == set(before.files) | {f"report/{name}.svg" for name in FIGURES}
    for name, digest in after.files.items():
        assert hashlib.sha256((evaluated / name).read_bytes()).hexdigest() == digest
    changed = {name for name in before.files if before.files[name] != after.files[name]}
    assert changed == {"CARD.md"}


def test_a_finished_run_is_exported_as_train_did(package: Path, phantoms: Path, tmp_path: Path) -> None:
    work = shutil.copytree(package.parent / "work", tmp_path / "work")
    (work / "commit.txt").write_text("c0ffee\n")  # trained with older code than exports
    command = ["export", str(work), "--dataset", str(phantoms), "--out", str(tmp_path / "again")]
    assert main([*command, "--name", "pneumonia-cnn", "--dataset-name", "phantoms", "--keep-keras"]) == 0
    first, second = (manifest.read(folder)[0] for folder in (package, tmp_path / "again"))
    assert second.temperature == pytest.approx(first.temperature)
    assert second.metrics["auroc"] == first.metrics["auroc"]
    assert (second.origin.config, second.origin.initial_weights) == (first.origin.config, first.origin.initial_weights)
    assert second.origin.split == first.origin.split
    assert second.origin.commit == "c0ffee"
    assert set(second.files) == set(first.files)
    classifiers = [packages.load(folder) for folder in (package, tmp_path / "again")]
    one, other = (classifier.probabilities(phantom.chest(3, 224))[0] for classifier in classifiers)
    assert one == pytest.approx(other, abs=1e-5)


def test_a_run_that_patience_ended_is_exported_with_its_history(package: Path, phantoms: Path, tmp_path: Path) -> None:
    work = shutil.copytree(package.parent / "work", tmp_path / "work")
    run, state = (json.loads((work / name).read_text()) for name in ("run.json", "state.json"))
    run["recipe"] |= {"epochs": 5, "patience": 1}
    (work / "run.json").write_text(json.dumps(run))
    (work / "state.json").write_text(json.dumps({**state, "done": 3}))  # the second was the best
    with (work / "history.csv").open("a") as history:
        history.write("3,0.1,9.0,0.5,0.5\n")
    assert main(["export", str(work), "--dataset", str(phantoms), "--out", str(tmp_path / "package")]) == 0
    assert (tmp_path / "package/history.csv").read_bytes() == (work / "history.csv").read_bytes()


def test_what_is_known_of_a_model_elsewhere_stands_beside_what_it_cannot_do(package: Path, tmp_path: Path, capsys: Capture) -> None:
    said = "AUROC 0.54 on children of another hospital."
    command = ["export", str(package), "--out", str(tmp_path / "package"), "--caveat", said, "--caveat", said.replace(" on ", "\n on ")]
    assert main([*command, "--caveat", " "]) == 2
    assert "invalid_option: Expected a sentence with --caveat." in capsys.readouterr().err
    assert not (tmp_path / "package").exists()
    assert main(command) == 0
    assert manifest.read(tmp_path / "package")[0].limits == (*manifest.read(package)[0].limits, said)
    assert f"- {said}\n" in (tmp_path / "package/CARD.md").read_text("utf-8")


def unfinished(folder: Path) -> None:
    """Have the run be asked for an epoch more than it has done."""
    run = json.loads((folder / "run.json").read_text())
    run["recipe"]["epochs"] += 1
    (folder / "run.json").write_text(json.dumps(run))


@pytest.mark.parametrize(
    ("source", "options", "code", "named"),
    [
        ("work", [], "invalid_option", "--dataset"),
        ("work", ["--dataset", "{data}", "--evaluation", "{report}"], "invalid_option", "--evaluation"),
        ("work", ["--dataset", "{data}", "--history", "{text}"], "invalid_option", "--history"),
        ("package", ["--patient-pictures", "{data}"], "invalid_option", "--evaluation"),
        ("package", ["--history", "{text}"], "run_unusable", "history.csv"),
        ("package", ["--history", "{history}"], "run_mismatch", "3 epochs"),
        ("unfinished", ["--dataset", "{data}"], "run_unusable", "1 of 2 epochs"),
        ("work", ["--dataset", "{less}"], "run_mismatch", "data set that the run was trained on"),
        ("empty", ["--dataset", "{data}"], "run_unusable", "work folder"),
        ("altered", [], "run_unusable", "selftest.json changed"),
        ("package", ["--evaluation", "{report}"], "evaluation_mismatch", "this package's network"),
        ("package", ["--evaluation", "{text}"], "evaluation_mismatch", "pneumonia evaluate"),
        ("package", ["--evaluation", "nowhere.json"], "evaluation_mismatch", "pneumonia evaluate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(
    source: str, options: list[str], code: str, named: str, package: Path, phantoms: Path, tmp_path: Path, capsys: Capture
) -> None:
    sources = {"package": package, "work": package.parent / "work", "empty": tmp_path / "empty"}
    sources |= {name: tmp_path / name for name in ("unfinished", "altered")}
    (tmp_path / "empty").mkdir()
    shutil.copytree(sources["work"], sources["unfinished"])
    unfinished(sources["unfinished"])
    shutil.copytree(package, sources["altered"])
    (sources["altered"] / "selftest.json").write_bytes((package / "selftest.json").read_bytes() + b" ")
    shutil.copytree(phantoms, tmp_path / "less")
    next((tmp_path / "less/NORMAL").iterdir()).unlink()
    report = report_of(manifest.read(package)[0])
    report["model"]["network_sha256"] = "1" * 64
    (tmp_path / "report.json").write_text(json.dumps(report))
    (tmp_path / "text.json").write_text("{}")
    (tmp_path / "history.csv").write_text("epoch,tune_loss\n1,0.5\n2,0.4\n3,0.3\n")
    written = {"report": tmp_path / "report.json", "text": tmp_path / "text.json", "history": tmp_path / "history.csv"}
    places = {"data": phantoms, "less": tmp_path / "less", **written}
    given = [option.format(**places) for option in options]
    assert main(["export", str(sources[source]), "--out", str(tmp_path / "out"), *given]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {code}: Expected")
    assert named in error
    assert not (tmp_path / "out").exists()
