"""This holds the state of a fit on disk, from which a fit that was cut off goes on."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tfptx import files

WEIGHTS = "learner.weights.h5"
METRICS = "metrics.npz"
NAME = re.compile(r"epoch(\d+)-batch(\d+)")


@dataclass(frozen=True)
class State:
    """A folder that holds the state after `batch` batches of an epoch."""

    path: Path
    epoch: int
    batch: int


def save(folder: Path, model: keras.Model, epoch: int, batch: int) -> None:
    """Keep the weights, the optimizer's slots and step count, and the epoch's metrics so far.

    Whatever else stands in the folder is removed once this one does. Raises ValueError, and keeps
    the state before, where a weight is not finite: a gradient can be so while the loss still is.
    """
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ValueError(
            f"weights are not finite after {batch} batches of epoch {epoch}; the state before is "
            f"kept in {folder}; begin anew with a lower rate.largest or clip_norm and --overwrite"
        )
    path = folder / f"epoch{epoch}-batch{batch}"
    with files.writing_folder(path) as temporary:
        model.save_weights(temporary / WEIGHTS)
        np.savez(temporary / METRICS, *[np.asarray(each) for each in model.metrics_variables])
    # The state before, and what a process that was killed has begun to write.
    for other in folder.iterdir():
        if other != path:
            shutil.rmtree(other)


def latest(folder: Path) -> State | None:
    """The latest state of a fit, None where there is none."""
    return max(_states(folder), key=lambda state: (state.epoch, state.batch), default=None)


def restore(state: State, model: keras.Model) -> None:
    """Load a state into a compiled model whose optimizer is built on all variables."""
    model.load_weights(state.path / WEIGHTS)
    restore_metrics(state, model)


def restore_metrics(state: State, model: keras.Model) -> None:
    """Load the metrics alone."""
    with np.load(state.path / METRICS) as kept:
        for variable, name in zip(model.metrics_variables, kept.files, strict=True):
            variable.assign(kept[name])


def _states(folder: Path) -> list[State]:
    paths = folder.iterdir() if folder.is_dir() else ()
    matches = [(path, NAME.fullmatch(path.name)) for path in paths]
    return [State(path, int(match[1]), int(match[2])) for path, match in matches if match]
