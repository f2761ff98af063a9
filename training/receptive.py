"""Where a cell of the class activation maps looks: the middle of its receptive field, worked out from the flatbuffer that serves.

A convolution of stride 2 that pads an even side pads it at one end only, so what a cell looks at lies beyond the cell's own place: by
half a cell in MobileNetV2 (15.5 of 224 pixels), by nothing in VGG16, whose pooling windows do not overlap. A heat map that ignores this
points up and to the left of what the network saw. Called where packages are signed; the arithmetic is that of Araujo, Norris and Sim
("Computing Receptive Fields of Convolutional Neural Networks", Distill 2019).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_NAMES: Final = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_CONVOLUTIONS: Final = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS: Final = ("MAX_POOL_2D", "AVERAGE_POOL_2D")
_PADS: Final = ("PAD", "PADV2", "MIRROR_PAD")


class _Side(NamedTuple):
    """Of one axis of a tensor, in pixels of the picture: from cell to cell, and to the middle of what the first cell looks at."""

    stride_px: float
    middle_px: float


class MapOffset(NamedTuple):
    """How far what a cell looks at lies beyond the cell's own place, in cells."""

    down: float
    right: float


def map_offset(flatbuffer: bytes) -> MapOffset:
    """Work out the offset of a network's class activation maps.

    Args:
        flatbuffer: a network that takes one picture; its only output of four axes is the maps.

    Returns:
        Zeros for a network without maps, and for one with an operation between picture and maps that moves cells in another way.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph = model.subgraphs[0]
    known = {int(graph.inputs[0]): (_Side(1.0, 0.5), _Side(1.0, 0.5))}
    for operator in graph.operators:  # each stands after those that it takes from
        given = next((int(tensor) for tensor in operator.inputs if int(tensor) in known), None)
        taken = int(operator.outputs[0])
        if given is None:
            continue  # weights
        sides = tuple(_through(model, graph, operator, given, taken, known[given][axis], axis) for axis in (0, 1))
        if sides[0] is not None and sides[1] is not None:
            known[taken] = (sides[0], sides[1])
    maps = next((int(output) for output in graph.outputs if len(graph.tensors[output].shape) == 4), None)
    if maps is None or maps not in known:
        return MapOffset(0.0, 0.0)
    return MapOffset(*(round(side.middle_px / side.stride_px - 0.5, 4) for side in known[maps]))


def _through(model: Any, graph: Any, operator: Any, given: int, taken: int, side: _Side, axis: int) -> _Side | None:  # noqa: ANN401
    """Return what an operation makes of one axis (0 down, 1 right); None where it is none that this arithmetic knows."""
    name = _NAMES[model.operatorCodes[operator.opcodeIndex].builtinCode]
    before, after = (list(graph.tensors[tensor].shape) for tensor in (given, taken))
    if name in _PADS:
        widths = np.frombuffer(bytes(model.buffers[graph.tensors[operator.inputs[1]].buffer].data), np.int32).reshape(-1, 2)
        return _Side(side.stride_px, side.middle_px - float(widths[axis + 1][0]) * side.stride_px)
    if name in _CONVOLUTIONS or name in _POOLS:
        return _windowed(graph, operator, name, int(before[axis + 1]), int(after[axis + 1]), side, axis)
    return side if len(after) == 4 and before[1:3] == after[1:3] else None


def _windowed(graph: Any, operator: Any, name: str, before: int, after: int, side: _Side, axis: int) -> _Side:  # noqa: ANN401
    """Slide a window over the axis: its first place has its middle half a window from where the padding begins."""
    options = operator.builtinOptions
    stride = (options.strideH, options.strideW)[axis]
    if name in _POOLS:
        window = (options.filterHeight, options.filterWidth)[axis]
    else:
        kernel = int(graph.tensors[operator.inputs[1]].shape[axis + 1])
        window = (kernel - 1) * (options.dilationHFactor, options.dilationWFactor)[axis] + 1
    same = options.padding == schema.Padding.SAME
    padded = max((after - 1) * stride + window - before, 0) // 2 if same else 0
    return _Side(side.stride_px * stride, side.middle_px + ((window - 1) / 2 - padded) * side.stride_px)
