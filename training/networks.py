"""A base and its head: where the base gives a feature map, the head is class activation maps whose mean over space is the logits.

One input channel: X-rays are grey, and a network of three channels that is shown one picture three times equals the network whose first
kernel is summed over its input channels. `build` does that sum for pretrained weights.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract
from training import architectures, errors
from training.architectures import input_contract as input_contract
from training.arithmetic import POLICIES


@keras.saving.register_keras_serializable(package="pneumonia")
class FixedStatistics(keras.layers.BatchNormalization):  # type: ignore[misc]  # keras has no types
    """Batch norm that learns scale and shift and always uses the statistics it came with.

    Calling the base with `training=False` does not do it: Keras 3 overrides that from the outer call (measured
    with 3.15). Freezing the layers would leave tensors of the initial weights in the model as they are.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ANN401 a tensor of any backend
        """Normalise by the fixed statistics, also while training."""
        return super().call(inputs, training=False, mask=mask)


_MOMENTUM: Final = 0.97  # the moving averages span 33 steps; MobileNetV2's own 0.999 would lag behind by a whole run


def build(
    name: str, weights: str, labels: int, dropout: float = 0.3, contract: InputContract | None = None, statistics: str = "learned"
) -> keras.Model:
    """Build the network that is trained.

    Args:
        name: one of `architectures.NAMES`.
        weights: "none" (random), "imagenet" (downloaded by Keras) or the path of a weights file without top, of three or one channels.
        labels: number of classes K.
        dropout: share of the features dropped while training, in [0, 1).
        contract: the input; its default is that of `input_contract`.
        statistics: of batch norm: "learned" takes those of each batch while training, "fixed" keeps those that the weights came with.

    Returns:
        A model float32 (N, height, width, 1) -> logits float32 (N, K).

    Raises:
        errors.UnknownArchitecture: no architecture has that name.
        errors.InitialWeightsUnusable: the weights cannot be had or do not fit.
    """
    shape = contract or input_contract(name)
    base = architectures.named(name).base(shape.height_px, shape.width_px, architectures.CHANNELS, None)
    if weights != "none":
        given = _grey_weights(name, weights, base)
        base = cloned(base, statistics)
        base.set_weights(given)
    return with_head(base, labels, dropout)


def cloned(base: keras.Model, statistics: str) -> keras.Model:
    """Return a base of the same layers and new weights, whose batch norm has "learned" or "fixed" statistics."""
    return keras.models.clone_model(base, clone_function=_CLONES[statistics])


def with_head(base: keras.Model, labels: int, dropout: float) -> keras.Model:
    """Put the head on a base that ends in a feature map (N, h, w, d), or in features (N, d), which allow no class activation maps.

    The head counts in float32 whatever the base does.
    """
    inputs = keras.Input(base.input_shape[1:], name="picture")
    kept = keras.layers.Dropout(dropout, name="dropout")(base(inputs))
    if len(base.output_shape) == 2:
        return keras.Model(inputs, keras.layers.Dense(labels, name="logits")(kept), name="pneumonia")
    maps = keras.layers.Conv2D(labels, 1, name="maps")(kept)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(maps)
    return keras.Model(inputs, logits, name="pneumonia")


def remade(model: keras.Model, side_px: int, precision: str = "float32") -> keras.Model:
    """Return a model that `build` made for pictures of another side or in another precision, with a copy of its weights.

    Args:
        model: of another side only where it ends in a feature map, whose features do not depend on the size of the picture.
        side_px: its own, or a multiple of 32, so that strides and padding fall as they do at its own.
        precision: of the base's arithmetic, one of POLICIES.

    Raises:
        errors.InvalidConfiguration: another side, and the model has no feature map.
    """
    if side_px != model.input_shape[1] and not has_maps(model):
        raise errors.InvalidConfiguration(
            "Expected no fit_side_px, and no other side_px than a package to go on from has, for an architecture without a feature map: "
            "its weights are tied to one size."
        )
    base = base_of(model)
    config = base.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            layer["config"]["batch_shape"] = (None, side_px, side_px, architectures.CHANNELS)
        else:
            layer["config"]["dtype"] = POLICIES[precision]
    new = with_head(type(base).from_config(config), model.output_shape[-1], model.get_layer("dropout").rate)
    new.set_weights(model.get_weights())
    return new


def settle(model: keras.Model, batches: Iterable[Any]) -> None:
    """Take the statistics of batch norm anew, as the mean over these batches, where a model learns them.

    Those gathered while training belong to other weights (each step's, not their average) and other pictures (crops at `fit_side_px`).

    Args:
        model: made by `build`.
        batches: float32 arrays (N, height, width, 1), whole pictures.
    """
    layers = [layer for layer in base_of(model).layers if type(layer) is keras.layers.BatchNormalization]
    momenta = [layer.momentum for layer in layers]
    for count, batch in enumerate(batches if layers else ()):
        for layer in layers:
            layer.momentum = count / (count + 1)
        model(batch, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def has_maps(model: keras.Model) -> bool:
    """Return whether a model that `build` made has class activation maps."""
    return any(layer.name == "maps" for layer in model.layers)


def base_of(model: keras.Model) -> keras.Model:
    """Return the base of a model that `build` made, so that it can be frozen."""
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def freeze(model: keras.Model) -> None:
    """Let only the head learn."""
    base_of(model).trainable = False


def thaw(model: keras.Model) -> None:
    """Let all layers learn."""
    base = base_of(model)
    base.trainable = True
    for layer in base.layers:  # one by one: a base read from a file says it is trainable while its layers are not
        layer.trainable = True


def correct(model: keras.Model, matrix: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> None:
    """Multiply the logits of a model that `build` made by a matrix and add a bias, in its last layer.

    Its class activation maps, whose mean the logits are, change alike.

    Args:
        model: it is changed.
        matrix: array (K, K), what the logits as a column are multiplied by.
        bias: array (K,).
    """
    layer = model.get_layer("maps" if has_maps(model) else "logits")
    kernel, old = layer.get_weights()
    layer.set_weights([(kernel @ matrix.T).astype(np.float32), (matrix @ old + bias).astype(np.float32)])


def with_outputs(model: keras.Model) -> keras.Model:
    """Return the network that is exported, sharing the weights of a model that `build` made.

    Returns:
        A model float32 (N, height, width, 1) -> probabilities (N, K), class activation maps (N, h, w, K) whose mean over space is the
        logits, embedding (N, d), the mean of the features over space. Without a feature map: probabilities and features (N, d).
    """
    features = model.get_layer("dropout").input
    probabilities = keras.layers.Softmax(name="probabilities")(model.get_layer("logits").output)
    if not has_maps(model):
        return keras.Model(model.input, [probabilities, keras.layers.Identity(name="embedding")(features)], name="network")
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(features)
    return keras.Model(model.input, [probabilities, model.get_layer("maps").output, embedding], name="network")


def _with_fixed_statistics(layer: keras.Layer) -> keras.Layer:
    kind = FixedStatistics if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
    return kind.from_config(layer.get_config())


def _with_learned_statistics(layer: keras.Layer) -> keras.Layer:
    if isinstance(layer, keras.layers.BatchNormalization):
        return keras.layers.BatchNormalization.from_config({**layer.get_config(), "momentum": _MOMENTUM})
    return type(layer).from_config(layer.get_config())


_CLONES: Final = {"fixed": _with_fixed_statistics, "learned": _with_learned_statistics}


def _grey_weights(name: str, weights: str, grey_base: keras.Model) -> list[Any]:
    """Return pretrained weights for one channel: kernels that took three have them summed."""
    height_px, width_px = grey_base.input_shape[1:3]
    file = architectures.weights_file(weights)
    given = _published(name, height_px, width_px) if file is None else _of_file(name, file, height_px, width_px)
    shapes = [tuple(weight.shape) for weight in grey_base.weights]
    return [np.sum(value, axis=2, keepdims=True) if value.shape != shape else value for value, shape in zip(given, shapes, strict=True)]


def _published(name: str, height_px: int, width_px: int) -> list[Any]:
    architecture = architectures.named(name)
    if architecture.published is None:
        raise errors.InitialWeightsUnusable(
            f"Expected --weights none or the path of a weights file for {name}, which has no ImageNet weights. Received: imagenet."
        )
    try:
        return architecture.published(architecture.base(height_px, width_px, 3, "imagenet").get_weights())
    except Exception as error:  # Keras raises a bare Exception when its download fails
        raise errors.InitialWeightsUnusable(
            f"Expected to download the ImageNet weights of {name}; give --weights PATH where there is no network. Received: {error}"
        ) from error


def _of_file(name: str, path: Path, height_px: int, width_px: int) -> list[Any]:
    """Read a weights file of three channels, published for colour pictures, or one of ours, of one channel."""
    architecture = architectures.named(name)
    reason: Exception | None = None
    for channels in (3, architectures.CHANNELS):
        base = architecture.base(height_px, width_px, channels, None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Keras warns of layers that it finds nothing for, and leaves them random
                base.load_weights(path)
        except (ValueError, OSError, KeyError, UserWarning) as error:
            reason = reason or error
        else:
            weights = list(base.get_weights())
            return architecture.published(weights) if architecture.published and channels != architectures.CHANNELS else weights
    raise errors.InitialWeightsUnusable(f"Expected weights of {name} without its top. Received: {path.name}: {reason}") from reason
