import numpy as np
import pytest

from tests.training import learning
from tfptx.training import state


def trained(steps):
    model = learning.network()
    found, _ = learning.learner(model, learning_rate=1e-2)
    images, masks = learning.data()
    for _ in range(steps):
        found.train_on_batch(images, masks)
    return found


def variables(learner):
    kept = (*learner.variables, *learner.optimizer.variables, *learner.metrics_variables)
    return [np.array(each) for each in kept]


def test_a_state_holds_weights_slots_steps_and_metrics(tmp_path):
    learner = trained(3)
    state.save(tmp_path, learner, epoch=1, batch=3)
    found = state.latest(tmp_path)
    assert (found.epoch, found.batch) == (1, 3)
    other = trained(1)
    state.restore(found, other)
    for one, same in zip(variables(other), variables(learner), strict=True):
        np.testing.assert_array_equal(one, same)
    images, masks = learning.data()
    for each in (learner, other):
        each.train_on_batch(images, masks)
    for one, same in zip(variables(other), variables(learner), strict=True):
        np.testing.assert_array_equal(one, same)


def test_the_latest_counts_and_the_one_before_goes(tmp_path):
    learner = trained(1)
    assert state.latest(tmp_path) is None
    for epoch, batch in ((0, 9), (0, 10), (1, 2)):
        state.save(tmp_path, learner, epoch, batch)
        found = state.latest(tmp_path)
        assert (found.epoch, found.batch) == (epoch, batch)
        assert [path.name for path in tmp_path.iterdir()] == [f"epoch{epoch}-batch{batch}"]
    # Killed between the two: both stand, and the later one is meant.
    (tmp_path / "epoch1-batch10").mkdir()
    (tmp_path / ".writing-abc").mkdir()
    assert state.latest(tmp_path).batch == 10


def test_weights_that_are_not_finite_are_not_kept(tmp_path):
    learner = trained(1)
    state.save(tmp_path, learner, 0, 1)
    kernel = learner.get_layer("head").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(ValueError, match="weights are not finite after 2 batches of epoch 0"):
        state.save(tmp_path, learner, 0, 2)
    assert state.latest(tmp_path).batch == 1
