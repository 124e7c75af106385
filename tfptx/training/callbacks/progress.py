"""This holds the reporting of a fit's progress to whoever shows it."""

from collections.abc import Callable

import keras

from tfptx.training.calendar import Calendar


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Calls `advance` with the share of the fit that each step is."""

    def __init__(self, calendar: Calendar, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._share = 1 / calendar.first_step(len(calendar.steps))
        self._advance = advance

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Report a step."""
        self._advance(self._share)
