"""A fit that goes on from its state ends like one that was never cut off."""

import numpy as np

from tests.training import learning
from tfptx.training.callbacks import state
from tfptx.training.callbacks.unfreezing import StagedUnfreezing


def callbacks(model, folder):
    staged = StagedUnfreezing(learning.groups(model), {"stride32": 1}, 3, learning.CALENDAR)
    return [staged, state.State(folder)]


def test_frozen_and_unfrozen_phases_resume_exactly(tmp_path):
    whole = learning.network()
    found, _ = learning.learner(whole, learning_rate=1e-2, weight_decay=1e-3)
    learning.fit(found, callbacks(whole, tmp_path / "whole"), epochs=4)

    for cut_after in (1, 2, 3):
        folder = tmp_path / f"cut{cut_after}"
        first = learning.network()
        found, _ = learning.learner(first, learning_rate=1e-2, weight_decay=1e-3)
        learning.fit(found, callbacks(first, folder), epochs=cut_after)

        second = learning.network()
        resumed, _ = learning.learner(second, learning_rate=1e-2, weight_decay=1e-3)
        assert state.restore(folder, resumed) == cut_after
        assert int(resumed.optimizer.iterations) == cut_after * learning.STEPS
        learning.fit(resumed, callbacks(second, folder), epochs=4, initial_epoch=cut_after)
        for now, expected in zip(second.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_array_equal(now, expected)


def test_only_the_latest_state_stays(tmp_path):
    model = learning.network()
    found, _ = learning.learner(model)
    learning.fit(found, callbacks(model, tmp_path), epochs=3)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch2.weights.h5"]


def test_without_a_state_a_fit_starts_at_its_first_epoch(tmp_path):
    found, _ = learning.learner(learning.network())
    assert state.restore(tmp_path, found) == 0
