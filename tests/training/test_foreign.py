"""Models that were trained elsewhere, as people have them: three formats, every usual head, one channel and three."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from cli.main import main
from core import images, phantom
from core import package as packages
from core.manifest import read
from core.network import Network
from tests.training.conftest import BACTERIAL, draw
from tests.training.elsewhere import (
    KINDS,
    SIDE,
    TWO,
    Build,
    Capture,
    Save,
    ask,
    bring,
    logits_alone,
    map_averaged,
    maps_averaged,
    save_export,
    save_h5,
    save_keras,
    save_tensorflow,
    sigmoid_with_flatten,
    sigmoid_with_gap,
    softmax_with_gap,
    transfer_learning,
)

pytestmark = pytest.mark.train


CASES: Mapping[str, tuple[Build, Save, tuple[str, ...], bool, int | None]] = {
    "softmax with pooling, .keras": (softmax_with_gap, save_keras, ("--labels", KINDS), True, 8),
    "softmax with pooling, .h5": (softmax_with_gap, save_h5, ("--labels", KINDS), True, 8),
    "softmax with pooling, SavedModel of Keras": (softmax_with_gap, save_export, ("--labels", KINDS, "--values", "bytes"), False, None),
    "sigmoid with pooling, .keras": (sigmoid_with_gap, save_keras, ("--labels", TWO), True, 8),
    "sigmoid with pooling, .h5": (sigmoid_with_gap, save_h5, ("--labels", TWO), True, 8),
    "sigmoid, SavedModel of TensorFlow": (sigmoid_with_gap, save_tensorflow, ("--labels", TWO, "--values", "bytes"), False, None),
    "sigmoid without pooling, .keras": (sigmoid_with_flatten, save_keras, ("--labels", TWO), False, 5),
    "sigmoid without pooling, .h5": (sigmoid_with_flatten, save_h5, ("--labels", TWO), False, 5),
    "base within a model, .keras": (transfer_learning, save_keras, ("--labels", TWO), True, 8),
    "logits without an activation, .keras": (logits_alone, save_keras, ("--labels", TWO), True, 8),
    "maps averaged to logits, .keras": (maps_averaged, save_keras, ("--labels", KINDS), True, 8),
    "one map averaged, then a sigmoid, .h5": (map_averaged, save_h5, ("--labels", TWO), True, 8),
}


def own_probabilities(build: Build, model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """What the model itself says of a grey picture of its size, with nothing of ours in between."""
    values = np.repeat(pixels[np.newaxis, ..., np.newaxis].astype(np.float32), model.input_shape[-1], axis=-1)
    answer = np.asarray(model(values), np.float64)[0]
    if build is logits_alone:
        answer = 1.0 / (1.0 + np.exp(-answer))
    if build is maps_averaged:
        answer = np.exp(answer) / np.exp(answer).sum()
    return np.array([1.0 - answer[0], answer[0]]) if len(answer) == 1 else answer


@pytest.mark.parametrize(("build", "save", "options", "has_maps", "embedding_size"), CASES.values(), ids=CASES.keys())
def test_a_model_from_elsewhere_answers_in_the_service_as_it_did_before(
    build: Build, save: Save, options: tuple[str, ...], has_maps: bool, embedding_size: int | None, tmp_path: Path
) -> None:
    model = build()
    package = bring(save(model, tmp_path), tmp_path / "package", *options)
    pixels = phantom.chest(11, SIDE)
    wanted = own_probabilities(build, model, pixels)

    answer = ask(package, pixels)

    assert answer["status"] == "ok"
    assert answer["pneumonia"]["probability"] == pytest.approx(1.0 - wanted[0], abs=2e-3)
    assert {one["label"]: one["probability"] for one in answer["findings"]} == pytest.approx(
        dict(zip(options[1].split(","), wanted, strict=True)), abs=2e-3
    )
    assert (answer["explanation"] is not None) == has_maps
    assert answer["warnings"] == ["operating_point_not_measured", *([] if has_maps else ["package_has_no_maps"])]
    zone = {"indeterminate_from": 0.5, "indeterminate_to": 0.5}
    point = {"name": "uncalibrated", "threshold": 0.5, "sensitivity": None, "specificity": None, **zone}
    assert answer["pneumonia"]["operating_point"] == point
    manifest, _ = read(package)
    assert manifest.embedding_size == embedding_size
    maps = Network((package / "network.tflite").read_bytes(), manifest, 1).run(images.preprocess(pixels, manifest.input)).maps
    assert (maps is not None) == has_maps
    if maps is not None:  # their mean is the logits
        odds = np.exp(maps.mean(axis=(0, 1)).astype(np.float64))
        assert odds / odds.sum() == pytest.approx(wanted, abs=2e-3)


def draw_bright_and_dark(folder: Path, normal: str, pneumonia: str) -> Path:
    for number in range(12):
        draw(folder / "NORMAL" / normal.format(number), number)
        path = folder / "PNEUMONIA" / pneumonia.format(number)
        draw(path, 100 + number, BACTERIAL)
        Image.fromarray(np.clip(np.asarray(Image.open(path)).astype(int) + 60, 0, 255).astype(np.uint8)).save(path, "JPEG")
    return folder


@pytest.fixture(scope="module")
def bright_and_dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled phantoms that brightness tells apart: what a model built by hand can read."""
    return draw_bright_and_dark(tmp_path_factory.mktemp("labelled"), "IM-{0:04d}-0001.jpeg", "person{0}_bacteria_{0}.jpeg")


@pytest.fixture(scope="module")
def of_no_kind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same phantoms in files whose names tell neither kind nor patient."""
    return draw_bright_and_dark(tmp_path_factory.mktemp("binary"), "{0}.jpeg", "{0}.jpeg")


def reads_brightness(slope: float, at: float, ending: str = "sigmoid") -> keras.Model:
    """Pneumonia where the mean of the values is above `at`; a softmax calls it bacterial rather than viral."""
    weights, dense = (np.array([slope]), keras.layers.Dense(1, ending))
    if ending == "softmax":
        weights, dense = (np.array([0.0, slope, 0.5 * slope]), keras.layers.Dense(3, ending))
    layers = [keras.Input((SIDE, SIDE, 1)), keras.layers.AveragePooling2D(4), keras.layers.GlobalAveragePooling2D(), dense]
    model = keras.Sequential(layers)
    dense.set_weights([weights[np.newaxis], -weights * at])
    return model


def mean_level(folder: Path) -> float:
    levels = [
        float(np.mean([np.asarray(Image.open(file)).mean() for file in (folder / name).iterdir()])) for name in ("NORMAL", "PNEUMONIA")
    ]
    return sum(levels) / 2.0 / 255.0


def test_labelled_pictures_tell_the_values_and_calibrate(bright_and_dark: Path, tmp_path: Path, capsys: Capture) -> None:
    model = save_keras(reads_brightness(40.0, mean_level(bright_and_dark)), tmp_path)
    package = bring(model, tmp_path / "package", "--labels", TWO, "--dataset", str(bright_and_dark))
    manifest, _ = read(package)
    assert (manifest.input.low, manifest.input.high) == (0.0, 1.0)
    assert "labelled pictures best" in manifest.origin.config["known_by"]["values"]
    assert [point.name for point in manifest.operating_points] == ["screening", "balanced", "rule_in"]
    assert all(point.sensitivity is not None for point in manifest.operating_points)
    assert manifest.metrics["auroc"]["value"] == pytest.approx(1.0)
    assert "bacterial_vs_viral_auroc" not in manifest.metrics
    assert (manifest.metrics["pictures"], manifest.metrics["patients"]) == (24, 24)
    assert manifest.origin.split == {}
    assert set(manifest.origin.config["calibration"]) == {"source", "dataset_sha256", "unreadable", "requirements"}
    assert not any("Not calibrated" in limit for limit in manifest.limits)
    assert any("is not known" in limit and "Calibrated" in limit for limit in manifest.limits)
    assert "not measured" not in capsys.readouterr().out.splitlines()[-1]
    assert ask(package, phantom.chest(1, SIDE))["warnings"] == []


@pytest.mark.parametrize(("ending", "labels"), [("sigmoid", TWO), ("softmax", KINDS)], ids=["two labels", "three labels"])
def test_labelled_pictures_need_not_tell_the_kind(ending: str, labels: str, of_no_kind: Path, tmp_path: Path) -> None:
    model = save_keras(reads_brightness(40.0, mean_level(of_no_kind), ending), tmp_path)
    data = shutil.copytree(of_no_kind, tmp_path / "data")
    (data / "PNEUMONIA/empty.jpeg").touch()
    package = bring(model, tmp_path / "package", "--labels", labels, "--dataset", str(data))
    manifest, _ = read(package)
    assert [point.name for point in manifest.operating_points] == ["screening", "balanced", "rule_in"]
    assert manifest.metrics["auroc"]["value"] == pytest.approx(1.0)
    assert manifest.temperature != 1.0
    assert "bacterial_vs_viral_auroc" not in manifest.metrics
    assert manifest.origin.config["calibration"]["unreadable"] == 1
    assert ask(package, phantom.chest(1, SIDE))["warnings"] == []


@pytest.mark.parametrize("missing", ["NORMAL", "PNEUMONIA"])
def test_labelled_pictures_of_one_class_do_not_calibrate(missing: str, of_no_kind: Path, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(of_no_kind, tmp_path / "data", ignore=shutil.ignore_patterns(missing))
    model = save_keras(reads_brightness(40.0, 0.5), tmp_path)
    command = ["package", str(model), "--out", str(tmp_path / "package"), "--values", "unit", "--labels", TWO]
    assert main([*command, "--dataset", str(tmp_path / "data")]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: too_few_patients: Expected at least 10 patients of each class")
    assert error.endswith(f"Received: 0 of class {missing.lower()}.")


def test_labels_in_the_wrong_order_are_noticed_on_labelled_pictures(bright_and_dark: Path, tmp_path: Path, capsys: Capture) -> None:
    model = save_keras(reads_brightness(40.0, mean_level(bright_and_dark)), tmp_path)
    command = ["package", str(model), "--out", str(tmp_path / "package"), "--values", "unit", "--dataset", str(bright_and_dark)]
    assert main([*command, "--labels", "pneumonia,normal"]) == 2
    assert "error: labels_contradicted: Expected" in capsys.readouterr().err


def test_labelled_pictures_that_do_not_decide_leave_the_question_open(bright_and_dark: Path, tmp_path: Path, capsys: Capture) -> None:
    model = save_keras(reads_brightness(1e-6, 0.5), tmp_path)
    assert main(["package", str(model), "--out", str(tmp_path / "package"), "--labels", TWO, "--dataset", str(bright_and_dark)]) == 2
    assert "error: convention_unknown: Expected one convention" in capsys.readouterr().err


def test_parity_is_proven_on_the_pictures_that_are_given(bright_and_dark: Path, tmp_path: Path, capsys: Capture) -> None:
    (bright_and_dark / "notes.txt").write_text("no picture")
    package = bring(save_keras(sigmoid_with_gap(), tmp_path), tmp_path / "p", "--labels", TWO, "--pictures", str(bright_and_dark))
    manifest, _ = read(package)
    assert manifest.metrics["parity"]["pictures"] == 24
    assert 0.0 <= manifest.metrics["parity"]["float32"] <= 1e-4
    assert f"proven on: 24 pictures of {bright_and_dark.name}" in capsys.readouterr().out


def test_the_manifest_and_the_card_claim_nothing_that_was_not_measured(tmp_path: Path) -> None:
    package = bring(save_keras(sigmoid_with_gap(), tmp_path), tmp_path / "package", "--labels", TWO)
    manifest, data = read(package)
    assert manifest.origin.dataset_sha256 is None
    assert manifest.temperature == 1.0
    assert set(manifest.metrics) == {"parity"}
    assert str(tmp_path).encode() not in data
    card = (package / "CARD.md").read_text()
    assert "not measured" in card
    assert "nothing is claimed" in card
    assert "Not calibrated" in card


def test_large_jpegs_are_decoded_in_full_where_nobody_measured_what_scaling_does(tmp_path: Path) -> None:
    package = bring(save_keras(sigmoid_with_gap(), tmp_path), tmp_path / "package", "--labels", TWO)
    classifier = packages.load(package)
    stream = io.BytesIO()
    Image.fromarray(phantom.chest(3, 600)).save(stream, "JPEG")
    whole = images.decode(stream.getvalue()).grey
    answer = classifier.classify(stream.getvalue(), classifier.operating_point(None), "id", images.MAX_PIXELS)
    assert answer.pneumonia.probability == pytest.approx(1.0 - float(classifier.probabilities(whole)[0][0]), abs=1e-6)
