"""A Keras model as a graph that can be walked: nested models opened up, each operation with what goes in and what comes out.

Needed for models trained elsewhere, where nobody knows beforehand what stands at the front and at the end.
"""

from typing import Any, NamedTuple

import keras


class Edge(NamedTuple):
    """One use of an operation: its symbolic inputs and its symbolic output."""

    operation: Any
    inputs: tuple[Any, ...]
    output: Any

    @property
    def kind(self) -> str:
        """The name of the operation's class."""
        return type(self.operation).__name__


def flatten(model: keras.Model, shape: tuple[int, int, int]) -> keras.Model:
    """Return a model of the same layers and weights without models inside: a base within a Sequential becomes its layers.

    Args:
        model: one input, one output.
        shape: (height, width, channels) of the input, which the model itself may leave open.
    """
    picture = keras.Input(batch_shape=(model.inputs[0].shape[0], *shape), dtype=model.inputs[0].dtype)
    return keras.Model(picture, _inline(model, picture))


def edges(model: keras.Model) -> list[Edge]:
    """Return all edges that lead to the only output of a flat model, the last ones first."""
    found: dict[int, Edge] = {}
    waiting = [model.outputs[0]]
    while waiting:
        tensor = waiting.pop()
        operation, node, _ = tensor._keras_history
        inputs = tuple(operation._inbound_nodes[node].input_tensors)
        if id(tensor) not in found and inputs:
            found[id(tensor)] = Edge(operation, inputs, tensor)
            waiting.extend(inputs)
    return list(found.values())


def before(found: list[Edge], tensor: Any) -> Edge | None:  # noqa: ANN401 a symbolic tensor of Keras
    """Return the edge that gives a tensor; None for the model's input and for what has several inputs."""
    edge = next((edge for edge in found if edge.output is tensor), None)
    return edge if edge is not None and len(edge.inputs) == 1 else None


def after(found: list[Edge], tensor: Any) -> Edge | None:  # noqa: ANN401
    """Return the only edge that takes a tensor; None where several do, or it takes more than that."""
    takers = [edge for edge in found if any(given is tensor for given in edge.inputs)]
    return takers[0] if len(takers) == 1 and len(takers[0].inputs) == 1 else None


def _inline(model: keras.Model, tensor: Any) -> Any:  # noqa: ANN401
    def call(layer: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        return _inline(layer, arguments[0]) if isinstance(layer, keras.Model) else layer(*arguments, **options)

    functional = keras.Model(model.inputs[0], model.outputs[0])  # a Sequential would not be asked for its calls
    # What clone_model does, but without a model around it: the result of the inner one goes on in the outer one.
    return functional._run_through_graph(tensor, call_fn=call)
