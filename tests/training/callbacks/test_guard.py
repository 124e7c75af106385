import math

import numpy as np
import pytest

from tests.training import learning
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.guard import LARGEST_LOSS, Guard


def guard():
    clock = Clock(learning.CALENDAR)
    found = Guard(lambda epoch, batch: [f"image of {epoch}, {batch}"], "RUN is kept", clock)
    clock.on_epoch_begin(2)
    clock.on_train_batch_begin(3)
    return found


@pytest.mark.parametrize("loss", [0.0, 12.0, 1000.0])
def test_a_loss_within_sense_passes(loss):
    guard().on_train_batch_end(3, {"loss": loss})


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1001.0])
def test_any_other_names_the_images_and_what_is_kept(loss):
    with pytest.raises(
        ValueError,
        match=f"the loss is {loss} in epoch 2, batch 3, of the images image of 2, 3, after a step "
        r"on image of 2, 2; RUN is kept; .* lower rate\.largest or clip_norm",
    ):
        guard().on_train_batch_end(3, {"loss": loss})


def test_it_is_the_batchs_own_loss_that_counts():
    """Keras tells the mean so far, in which one bad batch of many drowns."""
    found, losses = guard(), [0.5] * 3 + [3000.0]
    found.on_epoch_begin(2)
    for batch, mean in enumerate(np.cumsum(losses) / np.arange(1, 5)):
        found._clock.on_train_batch_begin(batch)
        if batch < 3:
            found.on_train_batch_end(batch, {"loss": mean})
    assert mean < LARGEST_LOSS
    with pytest.raises(ValueError, match=r"the loss is 3000\.0 in epoch 2, batch 3"):
        found.on_train_batch_end(3, {"loss": mean})
