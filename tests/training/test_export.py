"""Packages with their card and figures: `pneumonia export`."""

import argparse
import hashlib
import importlib
import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cli.main import main
from core import manifest, phantom
from core import package as packages
from tests.support import packages as shipped
from tests.support.evaluations import report_of
from training import card, card_commands

pytestmark = pytest.mark.train

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def evaluated(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package exported with an evaluation of it."""
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "evaluation.json").write_text(json.dumps(report_of(manifest.read(package)[0])))
    assert main(["export", str(package), "--evaluation", str(folder / "evaluation.json"), "--out", str(folder / "package")]) == 0
    return folder / "package"


def test_a_package_with_an_evaluation_loads_with_its_figures_signed(package: Path, evaluated: Path) -> None:
    before, after = (manifest.read(folder)[0] for folder in (package, evaluated))
    assert packages.load(evaluated).manifest.name == before.name
    figures = {"report/roc.png", "report/reliability.png", "report/robustness.png", "report/mistakes.png"}
    assert set(after.files) == set(before.files) | figures
    for name, digest in after.files.items():
        assert hashlib.sha256((evaluated / name).read_bytes()).hexdigest() == digest
    for name in figures:
        with Image.open(evaluated / name) as drawn:
            assert min(drawn.size) > 100
    changed = {name for name in before.files if before.files[name] != after.files[name]}
    assert changed == {"CARD.md"}


def test_the_card_tells_the_evaluation_and_names_no_file_of_a_patient(evaluated: Path) -> None:
    text = (evaluated / "CARD.md").read_text()
    for figure in ("0.9876 (0.9776 to 0.9976)", "0.9432", "0.9123", "0.0321", "The data set tells no kinds.", "0.8987", "0.968"):
        assert figure in text
    assert "| pneumonia | viral pneumonia | negative | 1 |" in text
    assert "2 of 123 pictures were called wrong" in text
    assert "123 pictures of 99 patients" in text
    assert "](report/roc.png)" in text
    assert "person7" not in text
    assert "IM-0003" not in text


def test_the_card_has_what_model_cards_and_claim_ask_for(package: Path) -> None:
    sections = re.findall(r"^## (.*)$", (package / "CARD.md").read_text(), re.MULTILINE)
    assert sections == [
        "Model details",
        "Intended use",
        "Caveats",
        "Factors",
        "Operating points",
        "Sample size",
        "Quantitative analysis",
        "Robustness",
        "Failure analysis",
        "Training data",
        "Training",
        "Ethical considerations",
    ]


def test_every_table_of_figures_stands_below_the_command_that_gives_it(evaluated: Path) -> None:
    for section in re.split(r"^## ", (evaluated / "CARD.md").read_text(), flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        figures = [part for part in re.split(r"\n\n", body) if part.startswith("|") and re.search(r"\d\.\d{2,}", part)]
        if title not in ("Training", "Model details"):
            commands = re.findall(r"By `(pneumonia [^`]+)`:", body)
            assert len(commands) >= len(figures), title


@pytest.mark.parametrize("source", ["trained", "shipped"])
def test_commands_in_the_card_are_commands_of_the_terminal(source: str, evaluated: Path) -> None:
    text = (evaluated / "CARD.md").read_text() if source == "trained" else card.write(manifest.read(shipped.baked())[0])
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    known = [name for name in ("train", "package", "export", "evaluate") if importlib.util.find_spec(f"cli.{name}")]
    for name in known:
        importlib.import_module(f"cli.{name}").register(commands)
    named = set(re.findall(r"`(pneumonia [^`]+)`", text))
    assert {shlex.split(command)[1] for command in named} >= {"train", "evaluate", "export"}
    for command in named:
        _, name, *options = shlex.split(command)
        if name in known:
            parser.parse_args([name, *options])


def test_the_command_of_a_training_run_holds_what_was_not_usual(package: Path) -> None:
    command = card_commands.of_network(manifest.read(package)[0])
    assert command == "pneumonia train DATASET --arch cnn --weights none --epochs 1 --batch-size 4 --out PACKAGE"


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


def unfinished(folder: Path) -> None:
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**state, "done": 1}))


@pytest.mark.parametrize(
    ("source", "options", "code", "named"),
    [
        ("work", [], "invalid_option", "--dataset"),
        ("work", ["--dataset", "{data}", "--evaluation", "{report}"], "invalid_option", "--evaluation"),
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
    places = {"data": phantoms, "less": tmp_path / "less", "report": tmp_path / "report.json", "text": tmp_path / "text.json"}
    given = [option.format(**places) for option in options]
    assert main(["export", str(sources[source]), "--out", str(tmp_path / "out"), *given]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {code}: Expected")
    assert named in error
    assert not (tmp_path / "out").exists()
