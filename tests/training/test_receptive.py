"""Where a cell of the maps looks, worked out from a flatbuffer, against where its gradient really comes from."""

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the training extra: make test installs it")

from training import architectures, convert, receptive  # noqa: E402

pytestmark = pytest.mark.train
SIDE_PX = 64


def conv(stride: int, padding: str = "same", kernel: int = 3) -> Any:
    return keras.layers.Conv2D(2, kernel, stride, padding, kernel_initializer="ones")


CHAINS = {
    "stride 2, an even side padded at one end": [conv(2), conv(2)],
    "stride 1 pads alike": [conv(1), conv(1, kernel=5)],
    "padding of its own, as in MobileNetV2": [keras.layers.ZeroPadding2D(((0, 1), (0, 1))), conv(2, "valid")],
    "padding at the other end": [keras.layers.ZeroPadding2D(((1, 0), (1, 0))), conv(2, "valid")],
    "windows that do not overlap, as in VGG16": [conv(1), keras.layers.AveragePooling2D(2), conv(1), keras.layers.AveragePooling2D(2)],
    "down and right differ": [keras.layers.ZeroPadding2D(((2, 0), (0, 1))), conv(2, "valid")],
    "depthwise": [keras.layers.DepthwiseConv2D(3, 2, "same", depthwise_initializer="ones"), conv(2)],
    "a large window": [conv(4, kernel=7)],
}


def flatbuffer_of(base: Any) -> bytes:
    maps = keras.layers.Conv2D(3, 1, name="maps")(base.outputs[0])
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    return convert.to_litert(keras.Model(base.inputs, [pooled, maps]))


def looked_at(base: Any) -> tuple[float, float]:
    """Return the offset in cells of the middle of what a cell in the middle depends on: float gradients of a network without kinks."""
    import tensorflow as tf

    picture = tf.Variable(np.ones((1, SIDE_PX, SIDE_PX, 1), np.float32))
    with tf.GradientTape() as tape:
        features = base(picture)
        rows, columns = features.shape[1:3]
        cell = tf.reduce_sum(features[0, rows // 2, columns // 2])
    weight = np.abs(tape.gradient(cell, picture).numpy()[0, :, :, 0])
    places = np.arange(SIDE_PX) + 0.5
    middle = (weight.sum(1) @ places / weight.sum(), weight.sum(0) @ places / weight.sum())
    strides = (SIDE_PX / rows, SIDE_PX / columns)
    down, right = (float(at / stride - 0.5 - count // 2) for at, stride, count in zip(middle, strides, (rows, columns), strict=True))
    return down, right


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS.keys())
def test_offset_is_where_the_gradient_comes_from(layers: list[Any]) -> None:
    base = keras.Sequential([keras.Input((SIDE_PX, SIDE_PX, 1)), *(type(layer).from_config(layer.get_config()) for layer in layers)])

    offset = receptive.map_offset(flatbuffer_of(base))

    assert offset == pytest.approx(looked_at(base), abs=0.02)


@pytest.mark.parametrize(("name", "cells"), [("mobilenetv2", 15.5 / 32), ("vgg16", 0.0), ("cnn", 7.5 / 16)])
def test_offset_of_our_architectures(name: str, cells: float) -> None:
    base = architectures.named(name).base(SIDE_PX, SIDE_PX, architectures.CHANNELS, None)

    assert receptive.map_offset(flatbuffer_of(base)) == pytest.approx((cells, cells), abs=1e-3)


def test_network_without_maps_has_none() -> None:
    base = architectures.named("dense").base(SIDE_PX, SIDE_PX, architectures.CHANNELS, None)

    assert receptive.map_offset(convert.to_litert(keras.Model(base.inputs, base.outputs))) == (0.0, 0.0)
