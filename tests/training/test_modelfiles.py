"""What is refused before it is opened, and what is no network for pictures."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from cli.main import main
from tests.training.elsewhere import (
    SIDE,
    TWO,
    Capture,
    body,
    save_export,
    save_h5,
    save_keras,
    sigmoid_with_gap,
)

pytestmark = pytest.mark.train


def with_layer(kind: str, module: str, tmp_path: Path) -> Path:
    """A .keras file whose configuration says that one layer is something else."""
    path = save_keras(sigmoid_with_gap(), tmp_path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    config["config"]["layers"][1].update(class_name=kind, module=module, registered_name=None)
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def lambda_in_keras(tmp_path: Path) -> Path:
    return save_keras(
        keras.Sequential([*body(1, keras.layers.Lambda(lambda x: x / 255.0)), keras.layers.GlobalAveragePooling2D()]), tmp_path
    )


def lambda_in_h5(tmp_path: Path) -> Path:
    return save_h5(keras.Sequential([*body(1, keras.layers.Lambda(lambda x: x / 255.0)), keras.layers.GlobalAveragePooling2D()]), tmp_path)


def graph_that_reads_files(tmp_path: Path) -> Path:
    import tensorflow as tf

    class Reader(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE, 1))])  # type: ignore[untyped-decorator]
        def serve(self, picture: Any) -> Any:
            size = tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)
            return tf.reduce_mean(picture, axis=(1, 2)) + size

    reader = Reader()
    tf.saved_model.save(reader, str(tmp_path / "reader"), signatures={"serving_default": reader.serve})
    return tmp_path / "reader"


def weights_alone(tmp_path: Path) -> Path:
    sigmoid_with_gap().save_weights(tmp_path / "theirs.weights.h5")
    return tmp_path / "theirs.weights.h5"


def text(tmp_path: Path) -> Path:
    (tmp_path / "theirs.keras").write_text("no model")
    return tmp_path / "theirs.keras"


def pickled(tmp_path: Path) -> Path:
    (tmp_path / "theirs.pkl").write_bytes(b"\x80\x04.")
    return tmp_path / "theirs.pkl"


def several_sigmoids(tmp_path: Path) -> Path:
    return save_keras(keras.Sequential([*body(1), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, "sigmoid")]), tmp_path)


def relu_at_the_end(tmp_path: Path) -> Path:
    return save_keras(keras.Sequential([*body(1), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "relu")]), tmp_path)


def two_inputs(tmp_path: Path) -> Path:
    pictures = [keras.Input((SIDE, SIDE, 1)), keras.Input((SIDE, SIDE, 1))]
    return save_keras(keras.Model(pictures, keras.layers.GlobalAveragePooling2D()(pictures[0] + pictures[1])), tmp_path)


def logits_in_a_graph(tmp_path: Path) -> Path:
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, kernel_initializer=keras.initializers.Constant(9.0))]
    return save_export(keras.Sequential([*body(1), *layers]), tmp_path)


@pytest.mark.parametrize(
    ("make", "code", "named"),
    [
        (lambda_in_keras, "unsafe_model", "Lambda"),
        (lambda_in_h5, "unsafe_model", "Lambda"),
        (lambda tmp_path: with_layer("Theirs", "their.layers", tmp_path), "unsafe_model", "their.layers"),
        (lambda tmp_path: with_layer("TFSMLayer", "keras.layers", tmp_path), "unsafe_model", "TFSMLayer"),
        (graph_that_reads_files, "unsafe_model", "ReadFile"),
        (weights_alone, "unreadable_model", "weights alone"),
        (text, "unreadable_model", "whole Keras model"),
        (pickled, "unreadable_model", ".keras"),
        (lambda tmp_path: tmp_path, "unreadable_model", "saved_model.pb"),
        (several_sigmoids, "unreadable_model", "several labels be true"),
        (relu_at_the_end, "unreadable_model", "relu"),
        (two_inputs, "unreadable_model", "inputs and outputs"),
        (logits_in_a_graph, "unreadable_model", "between 0 and 1"),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else getattr(value, "__name__", ""),
)
def test_what_carries_code_or_is_no_such_network_is_refused_in_a_sentence(
    make: Callable[[Path], Path], code: str, named: str, tmp_path: Path, capsys: Capture
) -> None:
    path = make(tmp_path)
    assert main(["package", str(path), "--out", str(tmp_path / "package"), "--labels", TWO, "--values", "unit"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {code}: Expected")
    assert named in error
