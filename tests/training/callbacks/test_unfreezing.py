"""Staged unfreezing against the ways in which Keras lets it go wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import learning
from tfptx import schedules
from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.unfreezing import StagedUnfreezing


def unfreezing(model, first_epoch, warm_up_steps=1, calendar=learning.CALENDAR):
    """The clock, and the callback that trains the deep group from an epoch on."""
    clock = Clock(calendar)
    from_epoch = {"decoder": 0, "stride32": first_epoch}
    return [clock, StagedUnfreezing(learning.groups(model), from_epoch, warm_up_steps, clock)]


def deep_weights(model):
    return [*model.get_layer("deep").get_weights(), *model.get_layer("deep_norm").get_weights()]


def test_weights_and_batch_norm_statistics_move_from_their_epoch_on():
    model = learning.network()
    found, _ = learning.learner(model, learning_rate=1e-2)
    before, head = deep_weights(model), model.get_layer("head").get_weights()
    learning.fit(found, unfreezing(model, 2), epochs=2)
    for now, then in zip(deep_weights(model), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not np.array_equal(model.get_layer("head").get_weights()[0], head[0])
    learning.fit(found, unfreezing(model, 2), epochs=3, initial_epoch=2)
    for now, then in zip(deep_weights(model), before, strict=True):
        assert not np.array_equal(now, then)


def test_one_fit_equals_two_with_the_unfreezing_between_them():
    model = learning.network()
    found, _ = learning.learner(model, learning_rate=1e-2)
    learning.fit(found, unfreezing(model, 2), epochs=4)

    by_hand = learning.network()
    other, _ = learning.learner(by_hand, learning_rate=1e-2)
    for layer in learning.groups(by_hand)["stride32"]:
        layer.trainable = False
    other.make_train_function(force=True)
    learning.fit(other, [], epochs=2)
    for layer in learning.groups(by_hand)["stride32"]:
        layer.trainable = True
    other.make_train_function(force=True)
    learning.fit(other, unfreezing(by_hand, 2), epochs=4, initial_epoch=2)
    for now, expected in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(now, expected)


def test_the_step_count_goes_on_and_the_slots_stay():
    model = learning.network()
    found, _ = learning.learner(model, learning_rate=1e-2)
    learning.fit(found, unfreezing(model, 1), epochs=1)
    slots = [variable.numpy() for variable in found.optimizer.variables]
    learning.fit(found, unfreezing(model, 1), epochs=2, initial_epoch=1)
    assert int(found.optimizer.iterations) == 2 * learning.STEPS
    assert len(found.optimizer.variables) == len(slots)
    assert any(np.any(slot != 0) for slot in slots[2:])


class DeepMoves(keras.callbacks.Callback):
    """Notes how far the deep kernel moves at most in each step, in learning rates."""

    def __init__(self, model):
        super().__init__()
        self.kernel = model.get_layer("deep").kernel
        self.moves = []

    def on_train_batch_begin(self, batch, logs=None):
        self.before = self.kernel.numpy()

    def on_train_batch_end(self, batch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        self.moves.append(np.abs(self.kernel.numpy() - self.before).max() / rate)


def moves_after(frozen_steps, callback, steps=60):
    """How far the deep kernel moves in each step of a group whose moments start at 0."""
    model = learning.network()
    found, _ = learning.learner(model, learning_rate=1e-5)
    found.optimizer.iterations.assign(frozen_steps)
    # A head that stands still leaves both fits the same gradients.
    found.optimizer.multipliers["decoder"].assign(0)
    moves = DeepMoves(model)
    batches = tf.data.Dataset.from_tensors(learning.data()).repeat(steps)
    found.fit(
        batches,
        initial_epoch=1,
        epochs=2,
        shuffle=False,
        callbacks=[moves, *callback(model, Calendar((frozen_steps, steps)))],
        verbose=0,
    )
    return np.array(moves.moves)


def late(warm_up_steps):
    return lambda model, calendar: unfreezing(model, 1, warm_up_steps, calendar)


def test_a_group_that_joins_late_moves_as_if_the_fit_began_with_it():
    fresh = moves_after(0, lambda model, calendar: [])
    untamed = moves_after(10_000, lambda model, calendar: [])
    assert untamed.max() > 3 * fresh.max()
    np.testing.assert_allclose(moves_after(10_000, late(1)), fresh, rtol=0.01)
    warm_up = np.minimum((np.arange(60) + 1) / 40, 1)
    np.testing.assert_allclose(moves_after(10_000, late(40)), warm_up * fresh, rtol=0.1)


def test_multipliers_follow_the_steps_since_the_group_joined():
    model = learning.network()
    found, _ = learning.learner(model)
    clock, callback = unfreezing(model, 2, warm_up_steps=10)
    callback.set_model(found)
    multiplier = found.optimizer.multipliers["stride32"]
    joined = 2 * learning.STEPS
    for epoch, batch, warm_up in [(2, 0, 0.1), (2, 3, 0.4), (3, 1, 0.6), (5, 3, 1.0)]:
        for each in (clock, callback):
            each.on_epoch_begin(epoch)
            each.on_train_batch_begin(batch)
        step = epoch * learning.STEPS + batch
        own = schedules.own_bias_correction(step, joined, 0.9, 0.999)
        assert float(multiplier) == pytest.approx(warm_up * own, rel=1e-6)
    assert float(found.optimizer.multipliers["decoder"]) == 1


def test_a_warm_up_counts_steps_of_the_optimizer():
    model = learning.network()
    found, _ = learning.learner(model, gradient_accumulation_steps=2)
    clock, callback = unfreezing(model, 1, warm_up_steps=10)
    callback.set_model(found)
    for epoch, batch, warm_up in [(1, 0, 0.1), (1, 1, 0.1), (1, 3, 0.2), (2, 2, 0.4)]:
        for each in (clock, callback):
            each.on_epoch_begin(epoch)
            each.on_train_batch_begin(batch)
        step = (epoch * learning.STEPS + batch) // 2
        own = schedules.own_bias_correction(step, learning.STEPS // 2, 0.9, 0.999)
        assert float(found.optimizer.multipliers["stride32"]) == pytest.approx(warm_up * own)


def test_a_groups_own_multiplier_stays_while_it_warms_up():
    model = learning.network()
    found, _ = learning.learner(model, rate_multipliers={"stride32": 0.25})
    clock, callback = unfreezing(model, 1, warm_up_steps=4)
    callback.set_model(found)
    assert float(found.optimizer.multipliers["stride32"]) == 0.25
    for each in (clock, callback):
        each.on_epoch_begin(1)
        each.on_train_batch_begin(1)
    own = schedules.own_bias_correction(learning.STEPS + 1, learning.STEPS, 0.9, 0.999)
    assert float(found.optimizer.multipliers["stride32"]) == pytest.approx(0.25 * 0.5 * own)
    assert float(found.optimizer.multipliers["decoder"]) == 1
