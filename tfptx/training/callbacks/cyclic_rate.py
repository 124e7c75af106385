"""This holds the cyclic learning rate: what a schedule says, set before every step."""

from collections.abc import Callable

import keras

from tfptx.training.calendar import Calendar


class CyclicRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the optimizer's learning rate to `rate(fractional epoch)`."""

    def __init__(self, rate: Callable[[float], float], calendar: Calendar) -> None:
        super().__init__()
        self._rate = rate
        self._calendar = calendar
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate of this step."""
        rate = self._rate(self._calendar.time(self._epoch, batch))
        self.model.optimizer.learning_rate.assign(rate)
