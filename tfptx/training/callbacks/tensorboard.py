"""This holds the history as TensorBoard scalars."""

from pathlib import Path

import keras
import tensorflow as tf

from tfptx.training.callbacks.history import History


class TensorBoard(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes the numbers of each epoch's row as scalars, the epoch being the step.

    Keras's own callback opens a new file at each call of `fit`, and here every epoch is one.
    """

    def __init__(self, folder: Path, history: History) -> None:
        super().__init__()
        self._writer = tf.summary.create_file_writer(str(folder))
        self._history = history

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch's scalars."""
        with self._writer.as_default(step=epoch):
            for name, value in self._history.rows[-1].items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._writer.flush()
