import math

import pytest

from tests.training import learning
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.guard import Guard


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
        match=f"the loss is {loss} in epoch 2, batch 3, of the images "
        r"image of 2, 3; RUN is kept; .* lower rate\.largest or clip_norm",
    ):
        guard().on_train_batch_end(3, {"loss": loss})
