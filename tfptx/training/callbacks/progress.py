"""This holds the reporting of a fit's progress to whoever shows it."""

from collections.abc import Callable
from typing import Any

import keras

from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.history import History


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Calls `advance` with the share of the fit that each step is, `announce` with each epoch."""

    def __init__(
        self,
        calendar: Calendar,
        history: History,
        advance: Callable[[float], None],
        announce: Callable[[dict[str, Any]], None],
    ) -> None:
        super().__init__()
        self._share = 1 / calendar.first_step(len(calendar.steps))
        self._advance = advance
        self._announce = announce
        self._history = history

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report a step."""
        self._advance(self._share)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the row of an epoch."""
        self._announce(self._history.rows[-1])
