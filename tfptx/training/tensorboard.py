"""This holds the history as TensorBoard scalars."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf


class TensorBoard:
    """Writes the numbers of each epoch's row as scalars, the epoch being the step.

    Keras's own callback opens a new file at each call of `fit`, and here every epoch is one.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))

    def add(self, row: Mapping[str, Any]) -> None:
        """Write the epoch's scalars."""
        with self._writer.as_default(step=row["epoch"]):
            for name, value in row.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._writer.flush()
