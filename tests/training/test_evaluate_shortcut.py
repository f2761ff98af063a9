"""`pneumonia evaluate` asks what the files alone say, and turns it against the model where there are enough of them."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import phantom
from tests.support.labelled import MODEL, draw_folder, evaluate
from tests.training.conftest import BACTERIAL, VIRAL, draw
from training import metrics

pytestmark = pytest.mark.train


def test_the_shortcut_stands_beside_each_picture_that_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "e.csv"
    _, out, _ = evaluate(capsys, MODEL, str(draw_folder(tmp_path / "set")), "--json", "-", "--csv", str(table), "--corruptions", "none")
    rows, report = list(csv.DictReader(io.StringIO(table.read_text("utf-8")))), json.loads(out)
    read = [row for row in rows if not row["error"]]
    truth, said = np.array([row["truth"] == "1" for row in read]), np.array([float(row["shortcut"]) for row in read])
    told = report["against_shortcut"]
    assert told["shortcut_auroc"]["value"] == round(metrics.auroc(truth, said), 4)
    assert all(row["shortcut"] == "" for row in rows if row["error"])
    assert told["auroc"]["value"] is None
    assert told["auroc"]["why_not"].startswith("Expected 10 pictures of 5 patients")


def test_files_that_give_the_class_away_are_turned_against_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Normal pictures are stored better, as in the public set, but not all of them."""
    for number in range(30):
        for place, seed, opacities, better in (("NORMAL/a", number, (), 4), ("PNEUMONIA/b", 100 + number, BACTERIAL, 1)):
            file = tmp_path / f"{place}{number}.jpeg"
            file.parent.mkdir(exist_ok=True)
            grey = phantom.chest(seed, 128, opacities)
            Image.fromarray(grey).save(file, "JPEG", quality=90 if number % 5 < better else 40)
    page, table = tmp_path / "e.html", tmp_path / "e.csv"
    code, out, _ = evaluate(capsys, MODEL, str(tmp_path), "--json", "-", "--html", str(page), "--csv", str(table), "--corruptions", "none")
    told = json.loads(out)["against_shortcut"]
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    assert code == 0
    assert (told["pictures"], told["normal"], told["pneumonia"], told["patients"]) == (20, 10, 10, 20)
    assert told["adverse_shortcut_auroc"]["value"] < told["shortcut_auroc"]["value"]
    normal, pneumonia = ([float(row["shortcut"]) for row in rows if row["truth"] == truth] for truth in "01")
    pairs = [(one < other) + 0.5 * (one == other) for other in sorted(pneumonia)[:10] for one in sorted(normal)[-10:]]
    assert told["adverse_shortcut_auroc"]["value"] == pytest.approx(np.mean(pairs), abs=1e-4)
    for name in ("auroc", "sensitivity", "specificity", "balanced_accuracy", "fall", "correlation_normal", "correlation_pneumonia"):
        assert told[name]["low"] <= told[name]["value"] <= told[name]["high"]
    assert f"{told['correlation_normal']['value']:.3f} (" in page.read_text("utf-8")


def test_one_patient_in_each_class_is_enough_to_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        draw(tmp_path / f"NORMAL/IM-0001-000{number}.jpeg", number)
        draw(tmp_path / f"PNEUMONIA/person1_virus_{number}.jpeg", 100 + number, VIRAL)
    code, out, _ = evaluate(capsys, MODEL, str(tmp_path), "--json", "-", "--html", str(tmp_path / "e.html"))
    assert code == 0
    report = json.loads(out)
    assert any("With 2 patients" in sentence for sentence in report["sentences"]["data"])
    assert "Expected at least 2 patients of each class" in report["against_shortcut"]["shortcut_auroc"]["why_not"]
