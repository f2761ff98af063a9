"""The end of a network from elsewhere: which probabilities it gives, and whether class activation maps and an embedding can be had of it.

A network that averages its last feature map over space and goes on with nothing but linear layers has maps for free: the same linear map,
put as a 1 x 1 convolution on the feature map, gives logits for each cell, and their mean is the logits (Zhou et al., CVPR 2016). Or the
network does just that itself and averages the maps, as our own do before they are exported (Lin et al., ICLR 2014).
"""

from typing import Any, Final, Literal, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from training import calibrate, errors, graphs
from training.graphs import Edge

Floats = npt.NDArray[np.float32]

_LINEAR: Final = {"Dense", "Dropout", "AlphaDropout", "BatchNormalization", "FixedStatistics", "Activation", "Flatten", "Identity"}
_LONGEST_EMBEDDING: Final = 4096  # a flattened feature map is no description of a picture
_EVEN: Final = 1e-3  # how far the sum of probabilities may be from 1


class Head(NamedTuple):
    """The end of a flat model.

    Attributes:
        ending: what turns logits into probabilities. One sigmoid speaks for two labels: it is the probability of the second.
        applied: whether the model does that itself; where not, it ends in logits.
        features: symbolic (N, h, w, d) where maps can be had, (N, d) where only an embedding can, None where neither.
        kernel: float32 array (d, K), from the features (or their mean over space) to the logits; empty without features.
        bias: float32 array (K,).
    """

    ending: Literal["softmax", "sigmoid"]
    applied: bool
    labels: int
    features: Any = None
    kernel: Floats = np.zeros((0, 0), np.float32)
    bias: Floats = np.zeros(0, np.float32)

    @property
    def has_maps(self) -> bool:
        """Whether class activation maps can be had."""
        return self.features is not None and len(self.features.shape) == 4

    @property
    def embedding_size(self) -> int | None:
        """The length of the embedding; None without one, also where its shape would be that of the probabilities."""
        size = None if self.features is None else int(self.features.shape[-1])
        return None if size == self.labels else size


def examine(model: keras.Model) -> Head:
    """Find out how a flat model ends.

    Raises:
        errors.UnreadableModel: it ends in something else than probabilities or logits of labels that exclude each other.
    """
    found = graphs.edges(model)
    outputs = int(model.outputs[0].shape[-1])
    last = graphs.before(found, model.outputs[0])
    activation = "linear" if _averaged(found, last) else _activation(last)
    usual: Literal["softmax", "sigmoid"] = "sigmoid" if outputs == 1 else "softmax"
    if activation not in (None, "linear", usual):
        raise errors.UnreadableModel(
            f"Expected a network that ends in a softmax over the labels, in one sigmoid, or in their logits. Received: {outputs} outputs "
            f"after {activation}" + (", which lets several labels be true at once." if activation == "sigmoid" else ".")
        )
    head = Head(usual, applied=activation != "linear", labels=max(2, outputs))
    if last is not None and last.kind != "Dense" and activation == usual:
        last = graphs.before(found, last.inputs[0])
    if maps := _averaged(found, last):
        return _with_maps(head, maps)
    return head if last is None or last.kind != "Dense" else _with_features(head, found, last)


def _averaged(found: list[Edge], last: Edge | None) -> Edge | None:
    """Return the linear 1 x 1 convolution whose mean over space an edge gives; None where it gives something else."""
    if last is None or last.kind != "GlobalAveragePooling2D" or last.operation.keepdims:
        return None
    edge = graphs.before(found, last.inputs[0])
    if edge is None or edge.kind != "Conv2D" or _activation(edge) != "linear":
        return None
    layer = edge.operation
    plain = (layer.kernel_size, layer.strides, layer.groups) == ((1, 1), (1, 1), 1)
    return edge if plain and layer.data_format == last.operation.data_format == "channels_last" else None


def _activation(edge: Edge | None) -> str | None:
    """Return the name of the activation that an edge ends in, None where that cannot be seen."""
    if edge is None:
        return None
    if edge.kind in ("Dense", "Conv2D", "Activation"):
        return str(edge.operation.activation.__name__)
    return edge.kind.lower() if edge.kind in ("Softmax", "Sigmoid") else None


def _with_features(head: Head, found: list[Edge], dense: Edge) -> Head:
    """Walk back from the last dense layer over what is linear. Where that ends at an average over space, maps can be had."""
    chain, edge = [dense], graphs.before(found, dense.inputs[0])
    while edge is not None and edge.kind in _LINEAR and _activation(edge) in (None, "linear"):
        chain.append(edge)
        edge = graphs.before(found, edge.inputs[0])
    if edge is not None and edge.kind == "GlobalAveragePooling2D" and edge.operation.data_format == "channels_last":
        kernel, bias = _linear_map(chain, edge.output.shape)
        features = edge.inputs[0]
    elif dense.inputs[0].shape[-1] <= _LONGEST_EMBEDDING:
        kernel, bias = _linear_map([dense], dense.inputs[0].shape)
        features = dense.inputs[0]
    else:
        return head
    return _completed(head, features, kernel, bias)


def _with_maps(head: Head, maps: Edge) -> Head:
    """Take the maps that the network averages."""
    layer = maps.operation
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(layer.filters, np.float32)
    return _completed(head, maps.inputs[0], np.asarray(layer.kernel)[0, 0], bias)


def _completed(head: Head, features: Any, kernel: Floats, bias: Floats) -> Head:  # noqa: ANN401 a symbolic tensor of Keras
    if head.ending == "sigmoid":  # sigmoid(z) is the second of softmax([0, z])
        kernel, bias = np.pad(kernel, ((0, 0), (1, 0))), np.pad(bias, (1, 0))
    return head._replace(features=features, kernel=kernel, bias=bias)


def _linear_map(chain: list[Edge], shape: tuple[int | None, ...]) -> tuple[Floats, Floats]:
    """Return kernel (d, K) and bias (K,) of a chain of linear layers, the last first, by what it does to 0 and to each unit vector."""
    size = int(shape[-1] or 0)
    probes = np.concatenate([np.zeros((1, size), np.float32), np.eye(size, dtype=np.float32)]).reshape(-1, *(shape[1:]))
    for edge in reversed(chain):
        layer = edge.operation
        if edge.kind == "Dense":
            probes = probes @ np.asarray(layer.kernel) + (np.asarray(layer.bias) if layer.use_bias else np.float32(0.0))
        else:
            probes = np.asarray(layer(probes))
    return probes[1:] - probes[0], probes[0]


def network(model: keras.Model, head: Head, front: keras.Layer | None) -> keras.Model:
    """Return the network that is exported, sharing the weights of a flat model.

    Args:
        model: flat.
        head: its end.
        front: put before it, or None.

    Returns:
        A model float32 (N, height, width, channels) -> probabilities (N, K) and, where they can be had, class activation maps (N, h, w, K)
        whose mean over space is the logits, and an embedding (N, d).
    """
    picture = keras.Input(batch_shape=model.inputs[0].shape, name="picture")
    values = picture if front is None else front(picture)
    if head.features is None:
        return keras.Model(picture, _probabilities(model(values), head), name="network")
    features = keras.Model(model.inputs[0], head.features)(values)
    outputs = []
    if head.has_maps:
        last = keras.layers.Conv2D(head.labels, 1, name="maps")
        outputs.append(last(features))
        logits = keras.layers.GlobalAveragePooling2D(name="logits")(outputs[0])
        features = keras.layers.GlobalAveragePooling2D(name="embedding")(features)
        last.set_weights([head.kernel[np.newaxis, np.newaxis], head.bias])
    else:
        last = keras.layers.Dense(head.labels, name="logits")
        logits = last(features)
        last.set_weights([head.kernel, head.bias])
    if head.embedding_size is not None:
        outputs.append(features)
    return keras.Model(picture, [keras.layers.Softmax(name="probabilities")(logits), *outputs], name="network")


def _probabilities(outputs: Any, head: Head) -> Any:  # noqa: ANN401 symbolic tensors of Keras
    if not head.applied:
        outputs = keras.layers.Activation(head.ending)(outputs)
    if head.ending == "softmax":
        return outputs
    rest = keras.layers.Rescaling(-1.0, 1.0)(outputs)  # 1 - p
    return keras.layers.Concatenate(name="probabilities")([rest, outputs])


def _read(outputs: npt.NDArray[Any], head: Head) -> npt.NDArray[np.float64]:
    """Return what a model's own outputs (N, outputs) mean: float64 array (N, K), probabilities.

    Raises:
        errors.UnreadableModel: they are no probabilities.
    """
    given = outputs.astype(np.float64)
    if head.ending == "sigmoid":
        given = given if head.applied else 1.0 / (1.0 + np.exp(-given))
        given = np.concatenate([1.0 - given, given], axis=1)
    elif not head.applied:
        given = calibrate.softmax(given)
    if not (np.isfinite(given).all() and (given >= -_EVEN).all() and (np.abs(given.sum(axis=1) - 1.0) <= _EVEN).all()):
        raise errors.UnreadableModel(
            f"Expected outputs between 0 and 1, of several labels with the sum 1. Received: {np.round(outputs[0], 3).tolist()}. A "
            "network that ends in logits can be brought as a .keras file, whose last layer tells so."
        )
    return given


def predict(model: keras.Model, head: Head, values: Floats) -> npt.NDArray[np.float64]:
    """Return what a model as it came says: float64 array (N, K), probabilities. One picture at a time: a SavedModel may take no more.

    Args:
        model: not rebuilt.
        head: its end.
        values: array (N, height, width, channels), as the model wants them.

    Raises:
        errors.UnreadableModel: its outputs are no probabilities.
    """
    return _read(np.concatenate([np.asarray(model(value[np.newaxis], training=False)) for value in values]), head)
