"""This holds the loss curriculum's clock: the weights of the terms, set before every step."""

from collections.abc import Callable, Mapping

import keras

from tfptx.config import LossName
from tfptx.objectives.curriculum import Curriculum
from tfptx.training.calendar import Calendar


class LossCurriculum(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the weight of each loss term to `weights(fractional epoch)`."""

    def __init__(
        self,
        curriculum: Curriculum,
        weights: Callable[[float], Mapping[LossName, float]],
        calendar: Calendar,
    ) -> None:
        super().__init__()
        self._curriculum = curriculum
        self._weights = weights
        self._calendar = calendar
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the weights of this step."""
        time = self._calendar.time(self._epoch, batch)
        for name, weight in self._weights(time).items():
            self._curriculum.weights[name].assign(weight)
