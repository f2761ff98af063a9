"""The card of a package, with an evaluation and without."""

import argparse
import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import msgspec
import pytest

from core import manifest
from core.manifest import Interval
from tests.support import packages as shipped
from tests.support.evaluations import report_of
from training import card, card_commands, card_evaluation, configuration
from training.evaluation import Evaluation
from training.interpretation import interpret

pytestmark = pytest.mark.train


def test_the_card_tells_the_evaluation_and_names_no_file_of_a_patient(evaluated: Path) -> None:
    text = (evaluated / "CARD.md").read_text()
    for figure in ("0.9876 (0.9776 to 0.9976)", "0.9432", "0.9123", "0.0321", "The data set tells no kinds.", "0.8987", "0.968"):
        assert figure in text
    assert "| pneumonia | viral pneumonia | negative | 1 |" in text
    assert "2 of 123 pictures were called wrong" in text
    assert "123 pictures of 99 patients" in text
    assert "It is too low by 10.0 points on the whole" in text
    assert "person7" not in text
    assert "somebody" not in text
    assert "IM-0003" not in text


def test_the_card_says_what_becomes_of_the_model_where_the_files_mislead(package: Path) -> None:
    written = manifest.read(package)[0]
    evaluation = msgspec.convert(report_of(written), Evaluation)
    robustness = section(card.write(written, evaluation), "Robustness")
    command, said = robustness.partition("### Against the shortcut\n\n")[2].split("\n\n")[:2]
    assert command == "By `pneumonia evaluate PACKAGE DATASET --json evaluation.json`:"
    for figure in ("0.876 (0.866 to 0.886)", "41 pictures", "0.432 (0.422 to 0.442)", "0.965 (0.955 to 0.975)", "rank correlation 0.20"):
        assert figure in said
    older = interpret(msgspec.structs.replace(evaluation, against_shortcut=None))
    assert "Against the shortcut" not in card.write(written, older)


def test_pictures_that_were_measured_and_evaluated_are_counted_once(package: Path) -> None:
    written = manifest.read(package)[0]
    report = report_of(written)
    counted = {"pictures": written.metrics["pictures"], "patients": written.metrics["patients"]}
    for held_out, whom in ((True, "the same pictures"), (False, f"{counted['pictures']} pictures of {counted['patients']} patients")):
        report["dataset"] = {**report["dataset"], **counted, "held_out": held_out}
        text = section(card.write(written, msgspec.convert(report, Evaluation)), "Sample size")
        assert f"who did not train or tune it. Evaluated on {whom}: " in text


def test_code_that_is_in_no_commit_is_called_so(package: Path) -> None:
    written = manifest.read(package)[0]
    for commit, told in (("a" * 40, False), (f"{'a' * 40} then {'a' * 40}+changes", True)):
        text = card.write(msgspec.structs.replace(written, origin=msgspec.structs.replace(written.origin, commit=commit)))
        assert f"Made by the code at commit `{commit}`" in text
        assert ("`+changes` marks code with changes that are in no commit." in text) == told


def test_held_out_patients_may_have_chosen_how_a_calibrated_package_decides(package: Path) -> None:
    written = manifest.read(package)[0]
    report = report_of(written)
    report["dataset"]["held_out"] = True
    evaluation = msgspec.convert(report, Evaluation)
    assert "They neither taught the network nor placed a threshold." in card.write(written, evaluation)
    config = {**written.origin.config, "calibration": {"source": "out-of-fold predictions", "at": "2026-11-30T00:00:00Z"}}
    origin = msgspec.structs.replace(written.origin, config=config, parent_version="0.1.0")
    text = card.write(msgspec.structs.replace(written, origin=origin), evaluation)
    assert "nor placed a threshold" not in text
    assert "They did not teach the network; what chose how it decides stands below." in text


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


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
        "Guard",
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


def test_the_command_of_a_training_run_gives_its_whole_recipe(package: Path) -> None:
    command = card_commands.of_network(manifest.read(package)[0])
    assert command == "pneumonia train DATASET --config PACKAGE/manifest.json --out NEW"
    recipe = configuration.read(package / "manifest.json", {"seed": 7})
    assert (recipe.arch, recipe.weights, recipe.epochs, recipe.batch_size, recipe.seed) == ("cnn", "none", 1, 4, 7)


def test_the_card_says_how_much_of_the_initial_weights_was_kept(package: Path) -> None:
    began = manifest.read(package)[0]
    shared = msgspec.structs.replace(
        began, origin=msgspec.structs.replace(began.origin, config={**began.origin.config, "start_share": 0.25})
    )
    assert "What is kept is the mean" not in card.write(began)
    assert "the mean of what was learned and of the initial weights, 0.25 of it theirs." in card.write(shared)


def test_the_command_of_an_evaluation_is_the_one_that_gave_it(package: Path) -> None:
    written = manifest.read(package)[0]

    def command(**changes: object) -> str:
        report = report_of(written)
        report["dataset"]["held_out"] = changes.pop("held_out", False)
        return card_evaluation.command(msgspec.convert({**report, **changes}, Evaluation), written.default_operating_point)

    strong = [{**row, "degree": "strong"} for row in report_of(written)["corruptions"]]
    assert command() == "pneumonia evaluate PACKAGE DATASET --json evaluation.json"
    assert command(held_out=True) == "pneumonia evaluate PACKAGE DATASET --held-out --json evaluation.json"
    assert command(corruptions=[]) == "pneumonia evaluate PACKAGE DATASET --corruptions none --json evaluation.json"
    assert command(corruptions=strong) == "pneumonia evaluate PACKAGE DATASET --corruptions all --json evaluation.json"
    assert command(operating_point="rule_in") == "pneumonia evaluate PACKAGE DATASET --operating-point rule_in --json evaluation.json"


def test_the_card_says_what_a_call_is_worth_where_pneumonia_is_rare() -> None:
    written = manifest.read(shipped.baked())[0]
    point = written.operating_point(None)
    assert point is not None
    measured = Interval(value=0.9, low=0.8, high=1.0)
    points = (msgspec.structs.replace(point, sensitivity=measured, specificity=measured),)
    text = card.write(msgspec.structs.replace(written, operating_points=points))
    assert "| 10 % | 50.0 % | 98.8 % |" in text  # 9 found for 9 false alarms in 100 pictures; 81 cleared, 1 missed
