"""This holds the calendar of a fit: how its steps divide into epochs of different lengths."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calendar:
    """The number of steps of each epoch; they differ, since the share of positives slides."""

    steps: tuple[int, ...]

    def first_step(self, epoch: int) -> int:
        """The number of steps before an epoch begins, of all epochs for one past the last."""
        return sum(self.steps[:epoch])

    def time(self, epoch: int, batch: int) -> float:
        """The fractional epoch at the start of a batch, what schedules take."""
        return epoch + batch / self.steps[epoch]
