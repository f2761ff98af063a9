"""The end of a network from elsewhere: maps are claimed where the network has them, and nowhere else."""

import keras
import pytest

from tests.training.elsewhere import body
from training import graphs, heads

pytestmark = pytest.mark.train

POOLING = keras.layers.GlobalAveragePooling2D
ENDS = {
    "a map for each label": ([keras.layers.Conv2D(3, 1), POOLING()], True),
    "the same, then a softmax": ([keras.layers.Conv2D(3, 1), POOLING(), keras.layers.Softmax()], True),
    "dropped while training": ([keras.layers.Dropout(0.5), keras.layers.Conv2D(3, 1, use_bias=False), POOLING()], True),
    "of several pixels": ([keras.layers.Conv2D(3, 3), POOLING(), keras.layers.Softmax()], False),
    "that leaves out cells": ([keras.layers.Conv2D(3, 1, 2), POOLING(), keras.layers.Softmax()], False),
    "of some features each": ([keras.layers.Conv2D(4, 1, groups=2), POOLING(), keras.layers.Softmax()], False),
    "not linear": ([keras.layers.Conv2D(3, 1, activation="relu"), POOLING(), keras.layers.Softmax()], False),
    "normalised afterwards": (
        [keras.layers.Conv2D(3, 1), keras.layers.BatchNormalization(), POOLING(), keras.layers.Softmax()],
        False,
    ),
    "the largest instead of the mean": ([keras.layers.Conv2D(3, 1), keras.layers.GlobalMaxPooling2D(), keras.layers.Softmax()], False),
}


@pytest.mark.parametrize(("end", "has_maps"), ENDS.values(), ids=ENDS.keys())
def test_maps_are_those_whose_mean_is_the_logits(end: list[keras.Layer], has_maps: bool) -> None:
    model = keras.Sequential([*body(1), *end])
    head = heads.examine(graphs.flatten(model, model.input_shape[1:]))
    assert (head.has_maps, head.applied) == (has_maps, isinstance(end[-1], keras.layers.Softmax))
