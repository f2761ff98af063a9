import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from core.manifest import InputContract
from training import convert, networks, precision

pytestmark = pytest.mark.train

SMALL = InputContract(height_px=64, width_px=64, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)


def answer(flatbuffer: bytes, values: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """The outputs for one picture, by shape."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    return {tuple(detail["shape"]): interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()}


def test_halving_shrinks_large_weights_and_moves_answers_by_rounding_alone() -> None:
    keras.utils.set_random_seed(3)
    network = networks.with_outputs(networks.build("cnn", "none", 3, contract=SMALL))
    full = convert.to_litert(network)
    halved = precision.halve(full)
    large = sum(weight.shape.num_elements() for weight in network.weights if weight.shape.num_elements() > precision.SMALL)
    assert len(full) - len(halved) == pytest.approx(2 * large, rel=0.01)

    picture = np.random.default_rng(0).uniform(-1.0, 1.0, (1, 64, 64, 1)).astype(np.float32)
    expected = [np.asarray(value) for value in network(picture)]
    for flatbuffer, tolerance in ((full, 1e-6), (halved, 1e-3)):
        answers = answer(flatbuffer, picture)
        for value in expected:
            assert np.abs(answers[value.shape] - value).max() <= tolerance
