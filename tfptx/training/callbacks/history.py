"""This holds the history of a fit: one row an epoch, kept in a csv."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from tfptx import files


class History(keras.callbacks.Callback):  # type: ignore[misc]
    """Appends each epoch's logs, and what `describe(epoch)` adds, to `rows` and to a csv.

    `rows` are those of the epochs that have finished already.
    """

    def __init__(
        self, path: Path, rows: list[dict[str, Any]], describe: Callable[[int], dict[str, Any]]
    ) -> None:
        super().__init__()
        self.rows = rows
        self._path = path
        self._describe = describe
        self._began_seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._began_seconds = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the epoch's row. Raises ValueError where a loss is not finite."""
        logs = logs or {}
        for name in ("loss", "val_loss"):
            value = logs.get(name, 0.0)
            if not math.isfinite(value):
                raise ValueError(
                    f"{name} is {value} in epoch {epoch}; begin anew with a lower rate.largest"
                )
        seconds = round(time.monotonic() - self._began_seconds, 3)
        row = {"epoch": epoch, **self._describe(epoch), **logs, "seconds": seconds}
        self.rows.append(row)
        with files.writing(self._path) as temporary:
            pd.DataFrame(self.rows).to_csv(temporary, index=False)
