"""The learning rate of each step: half an epoch of warm-up, since the optimizer's moments start at nothing, then a cosine to 0.

It is set from outside before each step. Inside the optimizer Keras builds a schedule into the graph once for every variable, which for
MobileNetV2 was a third of the 23 s of processor that the first step took; a retraining on few uploads is hardly more than its first step.
Called by `training.fit`.
"""

from typing import Any

import keras


class Pace(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Sets the learning rate of an optimizer that was made with a fixed one, by the steps that it has made."""

    def __init__(self, peak: float, an_epoch: int, in_all: int) -> None:
        """Plan a run.

        Args:
            peak: learning rate at the end of the warm-up.
            an_epoch: steps of an epoch.
            in_all: steps of all epochs.
        """
        super().__init__()
        warmup = max(1, an_epoch // 2)
        self._schedule = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=start(peak), decay_steps=max(1, in_all - warmup), warmup_target=peak, warmup_steps=warmup
        )

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set what the next step takes. A run that older code began has a schedule of its own in its optimizer, and keeps it."""
        optimizer = self.model.optimizer
        if isinstance(optimizer.get_config()["learning_rate"], float):
            optimizer.learning_rate = self._schedule(int(optimizer.iterations))


def start(peak: float) -> float:
    """Return the learning rate that the warm-up begins with."""
    return peak / 100
