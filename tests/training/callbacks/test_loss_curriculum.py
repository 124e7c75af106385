import numpy as np
import pytest

from tests.training import learning
from tfptx import schedules
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.loss_curriculum import LossCurriculum

PHASES = [(0, 0, {"weighted_bce": 1.0}), (1, 0, {"soft_dice": 2.0}), (2, 2, {"weighted_bce": 1.0})]


def test_the_loss_swaps_inside_one_fit():
    model = learning.network()
    found, curriculum = learning.learner(model, ("weighted_bce", "soft_dice"), learning_rate=1e-3)
    clock = Clock(learning.CALENDAR)
    swap = LossCurriculum(curriculum, lambda time: schedules.term_weights(time, PHASES), clock)
    history = learning.fit(found, [clock, swap], epochs=3)
    assert history["loss"][0] == pytest.approx(history["weighted_bce"][0], rel=1e-5)
    assert history["soft_dice"][0] == 0
    assert history["loss"][1] == pytest.approx(2 * history["soft_dice"][1], rel=1e-5)
    assert history["weighted_bce"][1] == 0
    assert history["soft_dice"][2] > 0
    assert history["weighted_bce"][2] > 0


def test_only_the_present_term_moves_the_weights():
    swapped = learning.network()
    found, curriculum = learning.learner(swapped, ("weighted_bce", "soft_dice"))
    clock = Clock(learning.CALENDAR)
    swap = LossCurriculum(curriculum, lambda time: schedules.term_weights(time, PHASES[1:]), clock)
    learning.fit(found, [clock, swap], epochs=1)
    alone = learning.network()
    only, only_curriculum = learning.learner(alone, ("soft_dice",))
    only_curriculum.weights["soft_dice"].assign(2.0)
    learning.fit(only, [], epochs=1)
    for now, expected in zip(swapped.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(now, expected, rtol=1e-6, atol=1e-7)
