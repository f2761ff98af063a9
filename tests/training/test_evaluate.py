"""`pneumonia evaluate`: figures, page and table of pictures, from the terminal to the last digit."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cli.main import main
from core import images, phantom
from core.classifier import Classifier
from tests.support import packages
from tests.support.labelled import MODEL, draw_folder, evaluate
from tests.training.conftest import BACTERIAL, draw
from training import metrics, outputs

pytestmark = pytest.mark.train

Json = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_folder(tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="module")
def written(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three files of one evaluation with every corruption."""
    out = tmp_path_factory.mktemp("report")
    command = ["evaluate", MODEL, str(folder), "--json", str(out / "e.json"), "--html", str(out / "e.html"), "--csv", str(out / "e.csv")]
    assert main([*command, "--corruptions", "all"]) == 0
    return out


@pytest.fixture(scope="module")
def report(written: Path) -> Json:
    content: Json = json.loads((written / "e.json").read_bytes())
    return content


@pytest.fixture(scope="module")
def rows(written: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((written / "e.csv").read_text("utf-8"))))


def test_standard_output_holds_json_alone(folder: Path, classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = evaluate(capsys, MODEL, str(folder), "--json", "-", "--corruptions", "none")
    assert code == 0
    (tmp_path / "e.json").write_text(out)
    decoded = outputs.read(tmp_path / "e.json", classifier.manifest)
    assert decoded.dataset.pictures == 12
    assert decoded.corruptions == ()
    assert "reading pictures" in err
    assert "left out: NORMAL/notes.txt: not_a_picture: Expected a picture" in err


def test_probabilities_are_those_that_serving_gives(rows: list[dict[str, str]], folder: Path, classifier: Classifier) -> None:
    read = [row for row in rows if not row["error"]]
    assert len(read) == 12
    for row in read:
        data = (folder / row["file"]).read_bytes()
        served = classifier.classify(data, classifier.operating_point(None), "test", images.MAX_PIXELS)
        assert float(row["probability"]) == served.pneumonia.probability
        assert row["decision"] == served.pneumonia.decision
        assert {label: float(row[f"probability of {label}"]) for label in ("normal", "bacterial pneumonia", "viral pneumonia")} == {
            finding.label: finding.probability for finding in served.findings
        }


def test_figures_follow_from_the_table_of_pictures(report: Json, rows: list[dict[str, str]]) -> None:
    read = [row for row in rows if not row["error"]]
    truth = np.array([row["truth"] == "1" for row in read])
    probability = np.array([float(row["probability"]) for row in read])
    threshold = next(point["threshold"] for point in report["operating_points"] if point["name"] == report["operating_point"])
    called = probability >= threshold
    measured = {name: value["value"] for name, value in report["metrics"].items() if isinstance(value, dict)}
    assert measured["auroc"] == round(metrics.auroc(truth, probability), 4)
    assert measured["auprc"] == round(metrics.auprc(truth, probability), 4)
    assert measured["accuracy"] == round(float(np.mean(truth == called)), 4)
    assert measured["sensitivity"] == round(float(np.mean(called[truth])), 4)
    assert measured["specificity"] == round(float(np.mean(~called[~truth])), 4)
    counts = report["confusion"]
    assert counts["true_positive"] + counts["false_negative"] == 8
    assert counts["true_negative"] + counts["false_positive"] == 4
    assert sum(sum(decisions.values()) for decisions in counts["decisions"].values()) == 12
    assert sum(sum(answers.values()) for answers in counts["kinds"].values()) == 12
    assert len(report["mistakes"]) == counts["false_negative"] + counts["false_positive"] == sum(row["correct"] == "0" for row in read)


def test_the_data_set_is_described_as_it_is(report: Json) -> None:
    facts = report["dataset"]
    assert (facts["pictures"], facts["normal"], facts["pneumonia"], facts["patients"]) == (12, 4, 8, 8)
    assert facts["kinds"] == {"bacterial pneumonia": 4, "viral pneumonia": 4}
    assert [(one["file"], one["code"]) for one in facts["unreadable"]] == [
        ("NORMAL/notes.txt", "not_a_picture"),
        ("PNEUMONIA/empty.jpeg", "not_a_picture"),
    ]
    assert facts["pictures_without_patient"] == 0


def test_the_digest_is_that_of_training(report: Json, folder: Path, tmp_path: Path) -> None:
    from training import dataset

    for path in folder.rglob("*.jpeg"):
        if path.stat().st_size:
            copy = tmp_path / path.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    assert report["dataset"]["sha256"] == dataset.index(tmp_path, progress=False).sha256


def test_every_corruption_has_a_row(report: Json) -> None:
    assert len(report["corruptions"]) == 24
    assert {row["degree"] for row in report["corruptions"]} == {"moderate", "strong"}
    for row in report["corruptions"]:
        assert row["fall"]["low"] <= row["fall"]["value"] <= row["fall"]["high"]


def test_the_page_holds_all_sections_and_asks_nothing_of_the_network(written: Path) -> None:
    page = (written / "e.html").read_text("utf-8")
    for title in ("Figures", "Data", "Confusion", "Discrimination", "Operating points", "Calibration", "Kinds of pneumonia"):
        assert f">{title}</h2>" in page
    for title in ("Indeterminate", "Against the shortcut", "Corruptions", "Worst mistakes", "Origin"):
        assert f">{title}</h2>" in page
    assert page.count("data:image/png;base64,") >= 5
    assert "http" not in page.replace("http-equiv", "")


def test_reports_hold_no_place_on_the_machine(written: Path, folder: Path) -> None:
    for file in written.iterdir():
        assert str(folder.parent).encode() not in file.read_bytes()


def test_a_binary_set_whose_names_say_nothing_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        draw(tmp_path / f"normal/{number}.png.jpeg", number)
        draw(tmp_path / f"pneumonia/{number}.jpeg", 100 + number, BACTERIAL)
    _, out, _ = evaluate(capsys, MODEL, str(tmp_path), "--json", "-", "--corruptions", "none")
    report = json.loads(out)
    assert report["dataset"]["patients"] == report["dataset"]["pictures"] == report["dataset"]["pictures_without_patient"] == 6
    assert any("the intervals are too narrow" in sentence for sentence in report["sentences"]["data"])
    assert report["metrics"]["bacterial_vs_viral_auroc"]["value"] is None
    assert "kinds of pneumonia" in report["metrics"]["bacterial_vs_viral_auroc"]["why_not"]
    assert report["kinds"] == []


@pytest.mark.parametrize(
    ("only", "missing", "there"),
    [("NORMAL", "sensitivity", "specificity"), ("PNEUMONIA", "specificity", "sensitivity")],
)
def test_with_a_class_missing_the_rest_is_measured(
    only: str, missing: str, there: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / only).symlink_to(folder / only)
    page = tmp_path / "page.html"
    code, out, _ = evaluate(capsys, MODEL, str(tmp_path), "--json", "-", "--html", str(page), "--corruptions", "quick")
    measured = json.loads(out)["metrics"]
    assert code == 0
    assert measured["auroc"] == {"value": None, "low": None, "high": None, "why_not": "pictures of both classes are needed"}
    assert measured[missing]["value"] is None
    assert measured[missing]["why_not"].endswith("is there")
    assert measured[there]["value"] is not None
    assert "is missing: whatever compares" in page.read_text("utf-8")


def test_another_operating_point_decides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = evaluate(capsys, MODEL, str(folder), "--json", "-", "--operating-point", "rule_in", "--corruptions", "none")
    report = json.loads(out)
    assert code == 0
    assert report["operating_point"] == "rule_in"
    assert report["indeterminate"]["pictures"] == 0


def test_indeterminate_pictures_are_left_to_a_person(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = packages.with_point(tmp_path, 0.5, (0.0, 1.0))
    _, out, _ = evaluate(capsys, str(package), str(folder), "--json", "-", "--corruptions", "none")
    zone = json.loads(out)["indeterminate"]
    assert zone["pictures"] == 12
    assert zone["with_pneumonia"] == 8
    assert zone["share"]["value"] == 1.0
    assert zone["decided"]["accuracy"] == {"value": None, "low": None, "high": None, "why_not": "no picture is left"}


def test_large_and_deep_pictures_go_through_the_serving_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "NORMAL").mkdir()
    large = Image.fromarray(phantom.chest(1, 1200))
    large.convert("RGB").save(tmp_path / "NORMAL/large.jpg", "JPEG", quality=90)
    Image.fromarray(phantom.chest(2, 300).astype(np.uint16) * 16).save(tmp_path / "NORMAL/deep.png")
    table = tmp_path / "e.csv"
    code, *_ = evaluate(capsys, MODEL, str(tmp_path), "--json", "-", "--csv", str(table))
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(table.read_text("utf-8")))}
    assert code == 0
    assert rows["NORMAL/large.jpg"]["width_px"] == "1200"
    assert rows["NORMAL/deep.png"]["warnings"] == "scaled_by_bits_in_use"


def test_without_json_the_terminal_says_the_main_figures(folder: Path, report: Json, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = evaluate(capsys, MODEL, str(folder), "--corruptions", "none")
    assert code == 0
    assert out.splitlines() == report["sentences"]["summary"]


def test_only_those_that_training_held_out_are_asked(phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from training import dataset, splits

    indexed = dataset.index(phantoms, progress=False)
    package = packages.variant(tmp_path, lambda content: content["origin"].update(dataset_sha256=indexed.sha256, config={"seed": 3}))
    table = tmp_path / "e.csv"
    command = [str(package), str(phantoms), "--held-out", "--csv", str(table), "--corruptions", "none", "--json", "-"]
    assert json.loads(evaluate(capsys, *command)[1])["dataset"]["held_out"]
    asked = {row["file"] for row in csv.DictReader(io.StringIO(table.read_text("utf-8")))}
    assert asked == {indexed.samples[position].path for position in splits.split(indexed, 3)["test"]}

    shutil.copytree(phantoms, tmp_path / "data")
    (tmp_path / "data/NORMAL/IM-0099-0001.jpeg").write_text("training left this out, too")
    command[1] = str(tmp_path / "data")
    assert evaluate(capsys, *command)[0] == 0
    assert {row["file"] for row in csv.DictReader(io.StringIO(table.read_text("utf-8")))} == asked


def test_originals_of_the_public_set_are_told_apart(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = evaluate(capsys, MODEL, str(data / "originals"), "--json", "-", "--corruptions", "none")
    report = json.loads(out)
    assert code == 0
    assert (report["dataset"]["normal"], report["dataset"]["pneumonia"], report["dataset"]["unreadable"]) == (16, 32, [])
    assert report["metrics"]["auroc"]["value"] >= 0.97
    assert report["metrics"]["accuracy"]["value"] >= 0.9


def test_evaluation_imports_no_tensorflow(folder: Path) -> None:
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    code = (
        "import sys; from cli.main import main; "
        f"assert main(['evaluate', {MODEL!r}, {str(folder)!r}, '--corruptions', 'none']) == 0; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert loaded.isdisjoint({"tensorflow", "keras", "matplotlib"})
    assert "delegate" not in done.stderr
