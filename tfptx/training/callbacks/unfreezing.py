"""This holds staged unfreezing: the decoder trains first, encoder groups from their epochs on."""

from collections.abc import Mapping, Sequence

import keras

from tfptx import schedules
from tfptx.config import EncoderGroup
from tfptx.training.calendar import Calendar


class StagedUnfreezing(keras.callbacks.Callback):  # type: ignore[misc]
    """Freezes and unfreezes groups of layers by epoch, and warms up those that join late.

    `groups` are all layers with weights; those that `from_epoch` does not name always train. A
    frozen layer keeps its weights and, in batch norm, its moving statistics. The model's optimizer
    must be a `GroupedAdam` on the same groups.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[keras.layers.Layer]],
        from_epoch: Mapping[EncoderGroup, int],
        warm_up_steps: int,
        calendar: Calendar,
    ) -> None:
        super().__init__()
        self._groups = groups
        self._from_epoch = from_epoch
        self._warm_up_steps = warm_up_steps
        self._calendar = calendar
        self._epoch = 0

    @property
    def trainable_groups(self) -> list[str]:
        """The groups that train in the present epoch."""
        frozen = set(self._from_epoch) - set(schedules.unfrozen(self._epoch, self._from_epoch))
        return [name for name in self._groups if name not in frozen]

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set which layers train, and compile the step anew where that changes."""
        self._epoch = epoch
        trainable = set(self.trainable_groups)
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
        optimizer = self.model.optimizer
        step = self._calendar.first_step(self._epoch) + batch
        for name in schedules.unfrozen(self._epoch, self._from_epoch):
            joined = self._from_epoch[name]
            if joined > 0:
                since = self._calendar.first_step(joined)
                optimizer.multipliers[name].assign(
                    schedules.warm_up(step, since, self._warm_up_steps)
                    * schedules.own_bias_correction(step, since, optimizer.beta_1, optimizer.beta_2)
                )
