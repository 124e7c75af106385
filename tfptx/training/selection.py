"""This holds which epoch of a fit is the best, and when there is no use in further ones."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]  # of the history: one epoch


def best(history: Sequence[Row]) -> Row:
    """The epoch with the largest validation mean Dice, ties by that over positives, then the first.

    Its score is that at the best cell of the grid: see `tfptx.objectives.metrics.BestCellDice`.
    """
    return max(history, key=lambda row: (row["val_mean_dice"], row["val_positive_dice"]))


def is_over(history: Sequence[Row], early_stopping_epochs: int, last_phase_epoch: int) -> bool:
    """Whether the best epoch lies `early_stopping_epochs` behind the latest one.

    The count starts with the curriculum's last phase at the earliest, so that a fit can't end
    before it has seen every phase.
    """
    if not history:
        return False
    since = max(best(history)["epoch"], last_phase_epoch)
    return bool(history[-1]["epoch"] - since >= early_stopping_epochs)
