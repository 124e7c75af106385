"""This holds which epoch of a fit is the best, and when there is no use in further ones."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]  # of the history: one epoch


def ranked(history: Sequence[Row]) -> list[Row]:
    """The epochs by validation mean Dice, ties by that over positives, then by time.

    The score is that at the best cell of the grid: see `tfptx.training.validation`.
    """
    return sorted(history, key=_score, reverse=True)


def best(history: Sequence[Row]) -> Row:
    """The first of `ranked`."""
    return ranked(history)[0]


def is_better(row: Row, other: Row) -> bool:
    """Whether a row has the better score, not an equal one."""
    return _score(row) > _score(other)


def is_over(history: Sequence[Row], early_stopping_epochs: int, last_phase_epoch: int) -> bool:
    """Whether the best epoch lies `early_stopping_epochs` behind the latest one.

    The count starts with the curriculum's last phase at the earliest, so that a fit can't end
    before it has seen every phase.
    """
    if not history:
        return False
    since = max(best(history)["epoch"], last_phase_epoch)
    return bool(history[-1]["epoch"] - since >= early_stopping_epochs)


def _score(row: Row) -> tuple[float, float]:
    return row["val_mean_dice"], row["val_positive_dice"]
