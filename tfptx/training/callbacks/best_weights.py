"""This holds the keeping of the best weights, and the end of a fit that no longer gains."""

from pathlib import Path

import keras

from tfptx import files
from tfptx.training import selection
from tfptx.training.callbacks.history import History


class BestWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the weights of `network` after its best epoch, and stops when patience is at its end.

    It reads the rows of `history`, which must stand before it in the list of callbacks.
    """

    def __init__(
        self,
        network: keras.Model,
        path: Path,
        history: History,
        early_stopping_epochs: int,
        last_phase_epoch: int,
    ) -> None:
        super().__init__()
        self._network = network
        self._path = path
        self._history = history
        self._early_stopping_epochs = early_stopping_epochs
        self._last_phase_epoch = last_phase_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the weights if this epoch is the best, stop if the best lies too far back."""
        rows = self._history.rows
        if selection.best(rows)["epoch"] == epoch:
            with files.writing(self._path) as temporary:
                self._network.save_weights(temporary)
        if selection.is_over(rows, self._early_stopping_epochs, self._last_phase_epoch):
            self.model.stop_training = True
