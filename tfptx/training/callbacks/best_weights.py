"""This holds the keeping of the best weights."""

from pathlib import Path

import keras

from tfptx import files
from tfptx.training import selection
from tfptx.training.callbacks.history import History


class BestWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the weights of `network`, without an optimizer's, after each epoch that is the best.

    It reads the rows of `history`, which must stand before it in the list of callbacks.
    """

    def __init__(self, network: keras.Model, path: Path, history: History) -> None:
        super().__init__()
        self._network = network
        self._path = path
        self._history = history

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the weights if no epoch before was as good."""
        if selection.best(self._history.rows)["epoch"] == epoch:
            with files.writing(self._path) as temporary:
                self._network.save_weights(temporary)
