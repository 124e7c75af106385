"""This holds the cyclic learning rate: what a schedule says, set before every step."""

from collections.abc import Callable

import keras

from tfptx.training.callbacks.clock import Clock


class CyclicRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the optimizer's learning rate to `rate(fractional epoch, step)`."""

    def __init__(self, rate: Callable[[float, int], float], clock: Clock) -> None:
        super().__init__()
        self._rate = rate
        self._clock = clock

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate of this step."""
        self.model.optimizer.learning_rate.assign(self._rate(self._clock.time, self._clock.step))
