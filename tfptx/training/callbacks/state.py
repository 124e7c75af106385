"""This holds the state of a fit after each epoch, from which a fit that was cut off goes on."""

import re
from pathlib import Path

import keras

from tfptx import files


class State(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the model's weights, the optimizer's slots and step count of the latest epoch.

    It must stand last in the list of callbacks: an epoch counts as finished once its state stands.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the state and remove that of the epoch before."""
        earlier = _states(self._folder)
        with files.writing(self._folder / f"epoch{epoch}.weights.h5") as temporary:
            self.model.save_weights(temporary)
        for path in earlier.values():
            path.unlink()


def restore(folder: Path, model: keras.Model) -> int:
    """Load the latest state, if any, into a compiled model; give the number of finished epochs.

    The model's optimizer must be built on all variables, frozen ones too.
    """
    states = _states(folder)
    if not states:
        return 0
    latest = max(states)
    model.load_weights(states[latest])
    return latest + 1


def _states(folder: Path) -> dict[int, Path]:
    found = {}
    for path in folder.glob("epoch*.weights.h5"):
        if match := re.fullmatch(r"epoch(\d+)\.weights\.h5", path.name):
            found[int(match[1])] = path
    return found
