import pytest

from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.progress import Progress


def test_every_step_is_an_equal_share_of_the_fit():
    shares = []
    progress = Progress(Calendar((3, 5)), shares.append)
    for batch in range(8):
        progress.on_train_batch_end(batch)
    assert shares == pytest.approx([1 / 8] * 8)
