"""This holds staged unfreezing: groups of layers train from their epochs on."""

from collections.abc import Mapping, Sequence

import keras

from tfptx import schedules
from tfptx.training.callbacks.clock import Clock


class StagedUnfreezing(keras.callbacks.Callback):  # type: ignore[misc]
    """Freezes and unfreezes groups of layers by epoch, and warms up those that join late.

    `groups` are all layers with weights, and `from_epoch` names each. A frozen layer keeps its
    weights and, in batch norm, its moving statistics. The model is a `Learner` whose optimizer
    is a `GroupedAdam` on the same groups.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[keras.layers.Layer]],
        from_epoch: Mapping[str, int],
        warm_up_steps: int,
        clock: Clock,
    ) -> None:
        super().__init__()
        self._groups = groups
        self._from_epoch = from_epoch
        self._warm_up_steps = warm_up_steps
        self._clock = clock

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set which layers train, and compile the step anew where that changes."""
        trainable = schedules.unfrozen(epoch, self._from_epoch)
        changed = [
            (layer, name in trainable)
            for name, layers in self._groups.items()
            for layer in layers
            if layer.trainable != (name in trainable)
        ]
        for layer, trains in changed:
            layer.trainable = trains
        if changed:
            # The compiled step holds the variables of the time when it was traced.
            self.model.make_train_function(force=True)

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate multipliers of the groups that joined after the start."""
        optimizer, clock = self.model.adam, self._clock
        for name in schedules.unfrozen(clock.epoch, self._from_epoch):
            joined = self._from_epoch[name]
            if joined > 0:
                since = clock.calendar.first_step(joined)
                accumulated = optimizer.gradient_accumulation_steps or 1
                correction = schedules.own_bias_correction(
                    clock.step // accumulated,
                    since // accumulated,
                    optimizer.beta_1,
                    optimizer.beta_2,
                )
                warm_up = schedules.warm_up(clock.step, since, self._warm_up_steps)
                optimizer.multiply(name, warm_up * correction)
