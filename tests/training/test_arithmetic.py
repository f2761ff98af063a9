from typing import Any

import keras
import pytest

from training import arithmetic

pytestmark = pytest.mark.train


def test_a_step_in_either_arithmetic_is_one_of_that_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[str] = []
    step = keras.Model.train_on_batch

    def watched(model: keras.Model, *given: Any) -> Any:
        learned.extend({layer.compute_dtype for layer in model.layers if isinstance(layer, keras.layers.Conv2D)})
        return step(model, *given)

    monkeypatch.setattr(keras.Model, "train_on_batch", watched)
    for name in arithmetic.POLICIES:
        learned.clear()
        assert arithmetic.seconds(name) > 0.0
        assert set(learned) == {name}
