"""This holds the weights that a fit keeps: the best epoch's, the next best, and at cycle ends."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import keras

from tfptx import files
from tfptx.runs import StageFolder
from tfptx.stage_config import Stage
from tfptx.training import rates, selection
from tfptx.training.selection import Row


def path(folder: StageFolder, epoch: int) -> Path:
    """Where an epoch's weights are kept."""
    return folder.checkpoints / f"epoch{epoch:03d}.weights.h5"


def keep(folder: StageFolder, network: keras.Model, history: Sequence[Row], plan: Stage) -> None:
    """Save the weights of the latest epoch if they are to be kept; remove those that no longer are.

    The best epoch's weights stand in `best.weights.h5` too.
    """
    latest = history[-1]["epoch"]
    kept = [path(folder, epoch) for epoch in epochs(history, plan)]
    if path(folder, latest) in kept:
        write(network, path(folder, latest))
    if selection.best(history)["epoch"] == latest:
        with files.writing(folder.best_weights) as temporary:
            shutil.copyfile(path(folder, latest), temporary)
    for other in folder.checkpoints.glob("epoch*.weights.h5"):
        if other not in kept:
            other.unlink()


def write(network: keras.Model, path: Path) -> None:
    """Save a network's weights, without an optimizer's."""
    with files.writing(path) as temporary:
        network.save_weights(temporary)


def epochs(history: Sequence[Row], plan: Stage) -> list[int]:
    """The epochs whose weights are kept, in their order."""
    found = set(best(history, plan))
    if plan.checkpoints.cycle_ends:
        found |= set(cycle_ends(history, plan))
    return sorted(found)


def best(history: Sequence[Row], plan: Stage) -> list[int]:
    """The epochs that scored best, the best first."""
    return [int(row["epoch"]) for row in selection.ranked(history)[: plan.checkpoints.best]]


def cycle_ends(history: Sequence[Row], plan: Stage) -> list[int]:
    """The epochs with which a cycle of the learning rate has ended."""
    return [int(row["epoch"]) for row in history if rates.ends_cycle(plan, int(row["epoch"]))]
