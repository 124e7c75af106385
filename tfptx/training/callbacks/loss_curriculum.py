"""This holds the loss curriculum's clock: the weights of the terms, set before every step."""

from collections.abc import Callable, Mapping

import keras

from tfptx.objectives.curriculum import Curriculum
from tfptx.stage_config import LossName
from tfptx.training.callbacks.clock import Clock


class LossCurriculum(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the weight of each loss term to `weights(fractional epoch)`."""

    def __init__(
        self,
        curriculum: Curriculum,
        weights: Callable[[float], Mapping[LossName, float]],
        clock: Clock,
    ) -> None:
        super().__init__()
        self._curriculum = curriculum
        self._weights = weights
        self._clock = clock

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the weights of this step."""
        for name, weight in self._weights(self._clock.time).items():
            self._curriculum.weights[name].assign(weight)
