"""What a model from elsewhere takes: seen in its first layers, given, or asked for."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from cli.main import main
from core import package as packages
from core import phantom
from core.manifest import Manifest, read
from tests.training.elsewhere import (
    KINDS,
    SIDE,
    TWO,
    Capture,
    ask,
    body,
    bring,
    of_any_size,
    save_keras,
)

pytestmark = pytest.mark.train


def manifest_of(layers: list[keras.Layer], tmp_path: Path, *options: str) -> Manifest:
    model = keras.Sequential([*body(3, *layers), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")])
    return read(bring(save_keras(model, tmp_path), tmp_path / "package", "--labels", TWO, *options))[0]


def caffe_means() -> list[keras.Layer]:
    return [keras.layers.Normalization(mean=[103.939, 116.779, 123.68], variance=[1.0, 1.0, 1.0])]


def imagenet_deviations() -> list[keras.Layer]:
    return [
        keras.layers.Rescaling(1 / 255.0),
        keras.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229**2, 0.224**2, 0.225**2]),
    ]


@pytest.mark.parametrize(
    ("layers", "low", "high"),
    [
        (lambda: [keras.layers.Rescaling(1 / 255.0)], 0.0, 255.0),
        (lambda: [keras.layers.RandomFlip(), keras.layers.Rescaling(1 / 127.5, -1.0)], 0.0, 255.0),
        (lambda: [keras.layers.Rescaling(2.0, -1.0)], 0.0, 1.0),
        (lambda: [keras.layers.Rescaling(0.5, 0.5)], -1.0, 1.0),
        (lambda: [keras.layers.Rescaling(127.5, 127.5)], -1.0, 1.0),
        (caffe_means, 0.0, 255.0),
        (imagenet_deviations, 0.0, 255.0),
    ],
    ids=["to unit", "to signed", "unit to signed", "signed to unit", "signed to bytes", "caffe means", "imagenet deviations"],
)
def test_layers_at_the_front_tell_which_values_the_network_takes(
    layers: Callable[[], list[keras.Layer]], low: float, high: float, tmp_path: Path
) -> None:
    manifest = manifest_of(layers(), tmp_path)
    assert (manifest.input.low, manifest.input.high) == (low, high)
    assert "its first layers" in manifest.origin.config["known_by"]["values"]


@pytest.mark.parametrize("mode", ["tf", "caffe", "torch"])
def test_each_mode_of_keras_applications_can_be_given_and_is_done_inside_the_network(mode: str, tmp_path: Path) -> None:
    model = keras.Sequential([*body(3), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")])
    values = {"tf": "signed"}.get(mode, mode)
    package = bring(save_keras(model, tmp_path), tmp_path / "package", "--labels", TWO, "--values", values)
    pixels = phantom.chest(4, SIDE)
    colour = np.repeat(pixels[np.newaxis, ..., np.newaxis].astype(np.float32), 3, axis=-1)
    wanted = float(np.asarray(model(keras.applications.imagenet_utils.preprocess_input(colour, mode=mode)))[0, 0])
    assert ask(package, pixels)["pneumonia"]["probability"] == pytest.approx(wanted, abs=2e-3)


def scan(tmp_path: Path, options: list[str], model: keras.Model | None = None) -> int:
    model = model or keras.Sequential([*body(3), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")])
    return main(["package", str(save_keras(model, tmp_path)), "--out", str(tmp_path / "package"), *options])


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (["--values", "unit"], "convention_unknown", "--labels"),
        (["--labels", TWO], "convention_unknown", "--values"),
        (["--labels", "healthy=17621005,pneumonia", "--values", "unit"], "convention_unknown", "--negative"),
        (["--labels", "normal,covid", "--values", "unit"], "convention_unknown", "SNOMED"),
        (["--labels", KINDS, "--values", "unit"], "invalid_option", "2 labels"),
        (["--labels", TWO, "--negative", "neither", "--values", "unit"], "invalid_option", "neither"),
        (["--labels", TWO, "--values", "unit", "--size", "99"], "invalid_option", "48x48"),
        (["--labels", TWO, "--values", "unit", "--resample", "magic"], "invalid_option", "resample"),
        (["--labels", TWO, "--values", "unit", "--pictures", "{empty}"], "dataset_missing", "none a picture"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_neither_the_network_nor_the_options_tell_is_asked_for(
    options: list[str], code: str, named: str, tmp_path: Path, capsys: Capture
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert scan(tmp_path, [option.format(empty=empty) for option in options]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {code}: Expected")
    assert named in error
    assert not (tmp_path / "package").exists()


def test_a_network_of_any_size_asks_for_the_size(tmp_path: Path, capsys: Capture) -> None:
    model = of_any_size()
    assert scan(tmp_path, ["--labels", TWO], model) == 2
    assert "Expected --size" in capsys.readouterr().err
    assert scan(tmp_path, ["--labels", TWO, "--size", "40x32"], model) == 0
    manifest = packages.load(tmp_path / "package").manifest
    assert (manifest.input.height_px, manifest.input.width_px) == (40, 32)
