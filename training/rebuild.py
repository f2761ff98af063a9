"""A package back to the Keras network that it came from, to learn on: from `network.keras`, or from the flatbuffer that serves.

A flatbuffer has batch norm folded into the convolution before it. A network that normalises by nothing and adds the folded bias gives the
same; proven on phantoms before it is used. All statistics are fixed: what is retrained may be a few dozen pictures.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from core import phantom
from core.manifest import NETWORK_FILE, Manifest
from core.network import Network
from training import architectures, convert, errors, networks
from training.pictures import inputs, shrink
from training.shelf import KERAS_FILE
from training.shifts import predictor

Floats = npt.NDArray[np.float32]

_PHANTOMS: Final = 8
_PHANTOM_SIDE_PX: Final = 256
_KEPT_PARITY: Final = 0.05  # of network.keras, in float32, with what serves in float16, on phantoms that it was not proven on
_NEW_LABEL_BIAS: Final = -4.0  # a label that nothing was learned of yet gets little of the probability
_WEIGHED: Final = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


def network(folder: Path, manifest: Manifest, dropout: float) -> keras.Model:
    """Return a model, as `networks.build` makes them, that answers as the package does.

    Raises:
        errors.RunUnusable: the package's architecture is none of ours.
        errors.ParityBroken: the rebuilt network answers otherwise.
    """
    arch = manifest.origin.config.get("arch")
    if arch not in architectures.NAMES or manifest.labels[0].name != manifest.negative:
        raise errors.RunUnusable(
            f"Expected a package of the architecture {', '.join(architectures.NAMES)} to retrain from. "
            f"Received: {manifest.name} {manifest.version}, of {arch or 'an unknown one'}."
        )
    flatbuffer = (folder / NETWORK_FILE).read_bytes()
    tolerance = convert.PARITY_FLOAT16
    if (folder / KERAS_FILE).is_file():
        tolerance = _KEPT_PARITY
        kept = keras.models.load_model(folder / KERAS_FILE, compile=False)
        model = networks.with_head(_fixed(networks.base_of(kept)), len(manifest.labels), dropout)
        model.set_weights(kept.get_weights())
    else:
        shape = manifest.input
        base = _fixed(architectures.named(arch).base(shape.height_px, shape.width_px, shape.channels, None))
        model = networks.with_head(base, len(manifest.labels), dropout)
        _fill([*base.layers, *model.layers], _weights(flatbuffer), arch)
    chests = [shrink(phantom.chest(seed, _PHANTOM_SIDE_PX), manifest.input) for seed in range(_PHANTOMS)]
    values = inputs(np.stack(chests), manifest.input)
    convert.check_parity(predictor(model)(values), [("served", Network(flatbuffer, manifest, 1), tolerance)], values)
    return model


def extended(model: keras.Model, labels: int, dropout: float) -> keras.Model:
    """Return the model with a head of more labels; the old ones keep their weights and come first."""
    wider = networks.with_head(networks.base_of(model), labels, dropout)
    head = "maps" if networks.has_maps(model) else "logits"
    kernel, bias = model.get_layer(head).get_weights()
    added = labels - len(bias)
    wide = np.concatenate([kernel, np.zeros((*kernel.shape[:-1], added), np.float32)], axis=-1)
    wider.get_layer(head).set_weights([wide, np.concatenate([bias, np.full(added, bias.min() + _NEW_LABEL_BIAS, np.float32)])])
    return wider


def _fixed(base: keras.Model) -> keras.Model:
    """Return a copy with statistics that learning leaves as they are."""
    copy = networks.cloned(base, "fixed")
    copy.set_weights(base.get_weights())
    return copy


def _fill(layers: Sequence[keras.Layer], weights: Sequence[tuple[Floats, Floats]], arch: str) -> None:
    """Give the layers, in their order, the kernels and biases of the flatbuffer's operators."""
    left, waiting = list(weights), None
    try:
        for layer in layers:
            if isinstance(layer, _WEIGHED):
                kernel, bias = left.pop(0)
                shaped = _shaped(kernel, layer)
                layer.set_weights([shaped, bias] if layer.use_bias else [shaped])
                waiting = None if layer.use_bias else bias
            elif isinstance(layer, keras.layers.BatchNormalization) and waiting is not None:
                one = np.ones_like(waiting)
                layer.set_weights([one, waiting, np.zeros_like(waiting), one - np.float32(layer.epsilon)])
                waiting = None
    except (IndexError, ValueError) as error:
        raise errors.RunUnusable(f"Expected the network of a {arch} to retrain from. Received: one of other layers.") from error
    if left or waiting is not None:
        raise errors.RunUnusable(f"Expected the network of a {arch} to retrain from. Received: one of more layers.")


def _shaped(kernel: Floats, layer: keras.Layer) -> Floats:
    """Turn a kernel from LiteRT's order of axes into that of Keras."""
    if isinstance(layer, keras.layers.Dense):
        return kernel.T
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return kernel.transpose(1, 2, 3, 0)
    return kernel.transpose(1, 2, 3, 0)


def _weights(flatbuffer: bytes) -> list[tuple[Floats, Floats]]:
    """Return kernel and bias of every operator that has them, in the order of execution."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph = model.subgraphs[0]
    codes = schema.BuiltinOperator
    weighed = (codes.CONV_2D, codes.DEPTHWISE_CONV_2D, codes.FULLY_CONNECTED)
    widened: dict[int, int] = {}
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind == codes.DEQUANTIZE:
            widened[operator.outputs[0]] = operator.inputs[0]
        elif kind in weighed:
            kernel, bias = (_constant(model, graph, widened, place) for place in operator.inputs[1:3])
            found.append((kernel, bias))
    return found


def _constant(model: Any, graph: Any, widened: dict[int, int], place: int) -> Floats:  # noqa: ANN401 the schema's classes have no types
    from ai_edge_litert import schema_py_generated as schema

    tensor = graph.tensors[widened.get(place, place)]
    kind = np.float16 if tensor.type == schema.TensorType.FLOAT16 else np.float32
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), kind).astype(np.float32).reshape(tensor.shape)
