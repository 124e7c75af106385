"""This holds the guard of a fit: a loss that is not finite, or far beyond sense, ends it."""

import math
from collections.abc import Callable, Sequence

import keras

from tfptx.training.callbacks.clock import Clock

# A pixel's loss of this size is a logit of this size on the wrong side: no network recovers.
LARGEST_LOSS = 1000.0


class Guard(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the fit before the state after a bad step is kept.

    `image_ids(epoch, batch)` names the images of a batch, `going_on` what is kept of the fit.
    """

    def __init__(
        self, image_ids: Callable[[int, int], Sequence[str]], going_on: str, clock: Clock
    ) -> None:
        super().__init__()
        self._image_ids = image_ids
        self._going_on = going_on
        self._clock = clock
        self._sum: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Forget the losses of the epoch before."""
        self._sum = None

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the batch's loss. Raises ValueError that names its images and those before."""
        mean, passed = float((logs or {})["loss"]), self._clock.batch + 1
        # Keras tells the mean of an epoch's batches. Where a fit goes on within an epoch, nothing
        # is known of those before, and the mean stands in for the first one's own loss.
        loss = mean if self._sum is None else passed * mean - self._sum
        self._sum = passed * mean
        if math.isfinite(loss) and loss <= LARGEST_LOSS:
            return
        epoch, place = self._clock.epoch, self._clock.batch
        images = f"the images {', '.join(self._image_ids(epoch, place))}"
        if place > 0:
            before = ", ".join(self._image_ids(epoch, place - 1))
            images += f", after a step on {before}"
        raise ValueError(
            f"the loss is {loss} in epoch {epoch}, batch {place}, of {images}; {self._going_on}; "
            "look at these images, or begin anew with a lower rate.largest or clip_norm and "
            "--overwrite"
        )
