"""This holds staged unfreezing: groups of layers train from their epochs on."""

from collections.abc import Mapping

import keras

from tfptx import schedules
from tfptx.training import groups
from tfptx.training.callbacks.clock import Clock
from tfptx.training.groups import Layers


class StagedUnfreezing(keras.callbacks.Callback):  # type: ignore[misc]
    """Freezes and unfreezes groups of layers by epoch, and warms up those that join late.

    `layers` are all that have weights, by group, and `from_epoch` names each group. A frozen layer
    keeps its weights and, in batch norm, its moving statistics. The model is a `Learner` whose
    optimizer is a `GroupedAdam` on the same groups; the warm-up counts its steps, not batches.
    """

    def __init__(
        self,
        layers: Mapping[str, Layers],
        from_epoch: Mapping[str, int],
        warm_up_steps: int,
        clock: Clock,
    ) -> None:
        super().__init__()
        self._groups = layers
        self._from_epoch = from_epoch
        self._warm_up_steps = warm_up_steps
        self._clock = clock

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set which layers train, and compile the step anew where that changes."""
        if groups.train(self._groups, schedules.unfrozen(epoch, self._from_epoch)):
            # The compiled step holds the variables of the time when it was traced.
            self.model.make_train_function(force=True)

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate multipliers of the groups that joined after the start."""
        optimizer, clock = self.model.adam, self._clock
        for name in schedules.unfrozen(clock.epoch, self._from_epoch):
            joined = self._from_epoch[name]
            if joined > 0:
                accumulated = optimizer.gradient_accumulation_steps or 1
                step = clock.step // accumulated
                since_step = clock.calendar.first_step(joined) // accumulated
                correction = schedules.own_bias_correction(
                    step, since_step, optimizer.beta_1, optimizer.beta_2
                )
                warm_up = schedules.warm_up(step, since_step, self._warm_up_steps)
                optimizer.multiply(name, warm_up * correction)
