"""The learning rate step by step: warm-up, cosine, across epochs and resumptions."""

import keras
import numpy as np
import pytest

from training.pace import Pace, start

pytestmark = pytest.mark.train

PEAK, AN_EPOCH, IN_ALL = 1e-2, 4, 12


def rates(optimizer: keras.optimizers.Optimizer, epochs: int, paces: list[Pace]) -> list[float]:
    """Learn for some epochs, each with a pace of its own, as `training.fit` does; return the learning rate of every step."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    seen: list[float] = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(float(model.optimizer.learning_rate)))
    for pace in paces[:epochs]:
        model.fit(np.ones((AN_EPOCH, 2)), np.ones((AN_EPOCH, 1)), batch_size=1, verbose=0, callbacks=[pace, watch])
    return seen


def test_every_step_has_its_learning_rate_whatever_epoch_it_is_of() -> None:
    paces = [Pace(PEAK, AN_EPOCH, IN_ALL) for _ in range(IN_ALL // AN_EPOCH)]
    seen = rates(keras.optimizers.AdamW(start(PEAK)), len(paces), paces)

    warmup = AN_EPOCH // 2
    up = [PEAK / 100 + (PEAK - PEAK / 100) * step / warmup for step in range(warmup)]
    down = [PEAK * (1 + np.cos(np.pi * step / (IN_ALL - warmup))) / 2 for step in range(IN_ALL - warmup)]
    assert seen == pytest.approx([*up, *down], rel=1e-4)


def test_optimizer_with_a_schedule_of_its_own_keeps_it() -> None:
    own = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
    assert rates(keras.optimizers.AdamW(own), 1, [Pace(PEAK, AN_EPOCH, IN_ALL)]) == [0.5, 0.25, 0.25, 0.25]
