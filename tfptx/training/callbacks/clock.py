"""This holds the clock of a fit: the epoch, batch and step at which the other callbacks act."""

import keras

from tfptx.training.calendar import Calendar


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells the time of a fit; it must stand first in the list of callbacks.

    Keras counts the batches of a call of `fit` from 0. Where that call goes on within an epoch,
    `first_batch` is the number of batches that the epoch has had already.
    """

    def __init__(self, calendar: Calendar) -> None:
        super().__init__()
        self.calendar = calendar
        self.first_batch = 0
        self.epoch = 0
        self.batch = 0

    @property
    def step(self) -> int:
        """The number of batches that the fit has had."""
        return self.calendar.first_step(self.epoch) + self.batch

    @property
    def time(self) -> float:
        """The fractional epoch, what schedules take."""
        return self.calendar.time(self.epoch, self.batch)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self.epoch, self.batch = epoch, self.first_batch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Note the batch."""
        self.batch = self.first_batch + batch
