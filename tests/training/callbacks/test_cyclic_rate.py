import keras
import pytest

from tests.training import learning
from tfptx import schedules
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.cyclic_rate import CyclicRate


class Rates(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


def test_every_step_has_the_rate_of_its_time():
    found, _ = learning.learner(learning.network())
    rates = Rates()
    clock, cycle = Clock(learning.CALENDAR), schedules.Cycle(1e-4, 1e-2, 1, epochs=2)
    schedule = CyclicRate(lambda time, step: schedules.triangular(time, cycle), clock)
    learning.fit(found, [clock, schedule, rates], epochs=2)
    up = [1e-4 + (1e-2 - 1e-4) * step / 4 for step in range(4)]
    down = [1e-2 - (1e-2 - 1e-4) * step / 4 for step in range(4)]
    assert rates.seen == pytest.approx(up + down, rel=1e-5)
