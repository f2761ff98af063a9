"""Models as people train them elsewhere, small enough to be built in a test, in the formats that they are kept in."""

import io
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from cli.main import main
from core.api import Service
from core.bootstrap import bootstrap
from tests.support import requests

SIDE = 48
Capture = pytest.CaptureFixture[str]
Build = Callable[[], keras.Model]
Save = Callable[[keras.Model, Path], Path]


def body(channels: int, *first: keras.Layer) -> list[keras.Layer]:
    keras.utils.set_random_seed(7)
    return [
        keras.Input((SIDE, SIDE, channels)),
        *first,
        keras.layers.Conv2D(6, 3, 2, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Conv2D(8, 3, 2, activation="relu"),
    ]


def softmax_with_gap() -> keras.Model:
    layers = body(3, keras.layers.Rescaling(1 / 255.0))
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(0.5), keras.layers.Dense(3, "softmax")])


def sigmoid_with_gap() -> keras.Model:
    layers = body(1, keras.layers.Rescaling(1 / 127.5, -1.0))
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")])


def sigmoid_with_flatten() -> keras.Model:
    head = [keras.layers.Flatten(), keras.layers.Dense(5, "relu"), keras.layers.Dense(1, "sigmoid")]
    return keras.Sequential([*body(3, keras.layers.Rescaling(1 / 255.0)), *head])


def transfer_learning() -> keras.Model:
    """As in most notebooks: a base with pooling inside, batch norm, logits and a softmax of its own, scaled by arithmetic."""
    base = keras.Sequential([*body(3), keras.layers.GlobalAveragePooling2D()], name="base")
    picture = keras.Input((SIDE, SIDE, 3))
    features = keras.layers.BatchNormalization()(base(picture / 127.5 - 1.0))
    model = keras.Model(picture, keras.layers.Softmax()(keras.layers.Dense(2)(features)))
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    chance = np.random.default_rng(0)
    norm.set_weights([chance.uniform(0.5, 2.0, 8), chance.normal(size=8), chance.normal(size=8), chance.uniform(0.5, 2.0, 8)])
    return model


def logits_alone() -> keras.Model:
    return keras.Sequential([*body(1, keras.layers.Rescaling(1 / 255.0)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])


def maps_averaged() -> keras.Model:
    """As fully convolutional networks end, ours before export among them: logits are the mean of a map for each label."""
    maps = [keras.layers.Dropout(0.5), keras.layers.Conv2D(3, 1), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([*body(1, keras.layers.Rescaling(1 / 127.5, -1.0)), *maps])


def map_averaged() -> keras.Model:
    maps = [keras.layers.Conv2D(1, 1, use_bias=False), keras.layers.GlobalAveragePooling2D(), keras.layers.Activation("sigmoid")]
    return keras.Sequential([*body(3, keras.layers.Rescaling(1 / 255.0)), *maps])


def of_any_size() -> keras.Model:
    layers = [keras.Input((None, None, 1)), keras.layers.Rescaling(1 / 255.0), keras.layers.Conv2D(6, 3, 2, activation="relu")]
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid")])


def save_keras(model: keras.Model, folder: Path) -> Path:
    model.save(folder / "theirs.keras")
    return folder / "theirs.keras"


def save_h5(model: keras.Model, folder: Path) -> Path:
    model.save(folder / "theirs.h5")
    return folder / "theirs.h5"


def save_export(model: keras.Model, folder: Path) -> Path:
    model.export(folder / "theirs", verbose=False)
    return folder / "theirs"


def save_tensorflow(model: keras.Model, folder: Path) -> Path:
    import tensorflow as tf

    tf.saved_model.save(model, str(folder / "theirs"))
    return folder / "theirs"


KINDS = "normal,bacterial pneumonia,viral pneumonia"
TWO = "normal,pneumonia"


def bring(model: Path, out: Path, *options: str) -> Path:
    assert main(["package", str(model), "--out", str(out), *options]) == 0
    return out


def ask(package: Path, pixels: np.ndarray) -> requests.Json:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    service: Service = bootstrap({"PNEUMONIA_MODEL": str(package)})
    return requests.read(service.handle(requests.post(stream.getvalue(), "image/png", {"explain": "heatmap"})))
