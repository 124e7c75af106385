"""This holds the keeping of a fit's state: now and then, and when the fit is asked to stop."""

from pathlib import Path

import keras

from tfptx.training import state
from tfptx.training.callbacks.clock import Clock
from tfptx.training.interruption import Interruption
from tfptx.training.processes import ALONE, Processes
from tfptx.training.state import State


class KeepState(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the state after every `every_steps` batches of an epoch, unless 0, and after its last.

    Keras sets the metrics back when an epoch begins; where the fit goes on within it, those of
    `begun`, the state that it goes on from, are put in again.
    """

    def __init__(
        self,
        folder: Path,
        every_steps: int,
        begun: State | None,
        interruption: Interruption,
        clock: Clock,
        processes: Processes = ALONE,
    ) -> None:
        super().__init__()
        self._folder = folder
        self._every_steps = every_steps
        self._begun = begun
        self._interruption = interruption
        self._clock = clock
        self._processes = processes

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Put the metrics of the epoch's earlier part in."""
        if self._begun and self._clock.first_batch:
            state.restore_metrics(self._begun, self.model)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Save the state where it is time. Raises Interrupted once it is kept."""
        clock = self._clock
        passed = clock.batch + 1
        is_last = passed == clock.calendar.steps[clock.epoch]
        is_time = self._every_steps > 0 and passed % self._every_steps == 0
        # Asked once: a signal that comes after this line must wait for the next batch's state.
        is_asked = self._interruption.is_asked
        if is_last or is_time or is_asked:
            self._processes.by_first(
                lambda: state.save(self._folder, self.model, clock.epoch, passed)
            )
        if is_asked:
            self._interruption.check()
