"""Architectures by name: the base without its head, the input it takes, and how published weights are brought to that input.

Called by `networks`, which puts the head on. Every architecture takes one grey channel with values in [-1, 1].
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from core.manifest import InputContract, is_package
from training import errors

CHANNELS: Final = 1


def _dense(height_px: int, width_px: int, channels: int, weights: str | None) -> keras.Model:
    """The baseline that any other must beat: pixels and two dense layers, 0.5 million parameters at 64 px. It has no feature map."""
    layers: list[keras.Layer] = [keras.Input((height_px, width_px, channels)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(128, "relu"), keras.layers.Dense(64, "relu")]
    return keras.Sequential(layers, name="dense")


def _cnn(height_px: int, width_px: int, channels: int, weights: str | None) -> keras.Model:
    """A small network to train from scratch: four convolutions of stride 2, 0.1 million parameters, feature map of 1/16 of the side."""
    layers: list[keras.Layer] = [keras.Input((height_px, width_px, channels))]
    for filters in (16, 32, 64, 128):
        layers += [keras.layers.Conv2D(filters, 3, 2, "same", use_bias=False), keras.layers.BatchNormalization(), keras.layers.ReLU()]
    return keras.Sequential(layers, name="cnn")


def _mobilenetv2(height_px: int, width_px: int, channels: int, weights: str | None) -> keras.Model:
    """MobileNetV2 1.0 (Sandler et al. 2018): 2.2 million parameters, feature map of 1/32 of the side with 1,280 channels."""
    return keras.applications.MobileNetV2(weights=weights, include_top=False, input_shape=(height_px, width_px, channels))


def _vgg16(height_px: int, width_px: int, channels: int, weights: str | None) -> keras.Model:
    """VGG16 (Simonyan and Zisserman 2015): 14.7 million parameters, feature map of 1/32 of the side with 512 channels.

    From scratch its kernels start as He et al. 2015 have it: by Keras' default, each of 13 layers without batch norm halves the variance of
    what it passes on, and the first epochs would teach nothing.
    """
    base = keras.applications.VGG16(weights=weights, include_top=False, input_shape=(height_px, width_px, channels))
    for layer in base.layers if weights is None else ():
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.initializers.HeNormal()(layer.kernel.shape))
    return base


def _same(weights: list[Any]) -> list[Any]:
    return weights


_VGG_MEANS: Final = np.array([103.939, 116.779, 123.68])  # blue, green, red: the order and the means of keras.applications' "caffe" mode
_HALF_RANGE: Final = 127.5


def _from_caffe(weights: list[Any]) -> list[Any]:
    """Make VGG16's published weights take [-1, 1] instead of grey levels less the means of ImageNet.

    k (g - m) with g = 127.5 (x + 1) is 127.5 k x + k (127.5 - m). That is exact but for the outermost pixel, where padding with 0 now means
    mid-grey instead of ImageNet's mean, 13 grey levels darker.
    """
    kernel, bias, *others = weights
    return [kernel * _HALF_RANGE, bias + np.einsum("hwcf,c->f", kernel, _HALF_RANGE - _VGG_MEANS), *others]


class Architecture(NamedTuple):
    """How a base is built, the side of its input, and how published weights of three channels are brought to inputs in [-1, 1]."""

    base: Callable[[int, int, int, str | None], keras.Model]
    side_px: int = 224
    published: Callable[[list[Any]], list[Any]] | None = None
    """None where Keras publishes no ImageNet weights."""


_ARCHITECTURES: Final = {
    "dense": Architecture(_dense, side_px=64),
    "cnn": Architecture(_cnn),
    "mobilenetv2": Architecture(_mobilenetv2, published=_same),
    "vgg16": Architecture(_vgg16, published=_from_caffe),
}
NAMES: Final = tuple(_ARCHITECTURES)


def named(name: str) -> Architecture:
    """Return an architecture.

    Raises:
        errors.UnknownArchitecture: no architecture has that name.
    """
    if name not in _ARCHITECTURES:
        raise errors.UnknownArchitecture(f"Expected one of {', '.join(NAMES)}. Received: {name!r}.")
    return _ARCHITECTURES[name]


def input_contract(name: str, side_px: int = 0) -> InputContract:
    """Return the input that an architecture takes, with pictures of its own side or of another.

    `bilinear` with Pillow's antialiasing reproduces best how the public 224-pixel copies were made (mean difference 2.0 grey levels).

    Raises:
        errors.UnknownArchitecture: no architecture has that name.
    """
    side_px = side_px or named(name).side_px
    return InputContract(height_px=side_px, width_px=side_px, channels=CHANNELS, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)


def package_folder(weights: str) -> Path | None:
    """Return the folder of the model package that a training starts from; None where it starts from anything else."""
    folder = Path(weights)
    return folder if weights not in ("none", "imagenet") and is_package(folder) else None


def weights_file(weights: str) -> Path | None:
    """Return the file of initial weights, None for "none", "imagenet" and a model package, which are no such file.

    Raises:
        errors.InitialWeightsUnusable: the file is not there.
    """
    if weights in ("none", "imagenet") or package_folder(weights):
        return None
    if not Path(weights).is_file():
        raise errors.InitialWeightsUnusable(
            "Expected imagenet, none, the path of a weights file or the folder of a model package. "
            f"Received: {weights}, which is none of these."
        )
    return Path(weights)
