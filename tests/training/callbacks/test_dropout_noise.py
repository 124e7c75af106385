import keras
import numpy as np

from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.dropout_noise import DropoutNoise


def network():
    """Two Dropout layers, the first inside a nested model."""
    inner = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])
    inputs = keras.Input((64,))
    return keras.Model(inputs, [inner(inputs), keras.layers.Dropout(0.5)(inputs)])


def noise(model, seed, step):
    clock = Clock(Calendar((10, 10)))
    callback = DropoutNoise(model, seed, clock)
    for each in (clock, callback):
        each.on_epoch_begin(step // 10)
        each.on_train_batch_begin(step % 10)
    return [np.asarray(part) for part in model(np.ones((1, 64)), training=True)]


def test_the_noise_hangs_on_seed_and_step_alone_and_differs_between_layers():
    used = network()
    noise(used, 0, 0)
    first = noise(used, 3, 5)
    for one, other in zip(first, noise(network(), 3, 5), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[0], first[1])
    drawn = DropoutNoise(used, 3, None)
    drawn.seed(5)
    again = [np.asarray(part) for part in used(np.ones((1, 64)), training=True)]
    np.testing.assert_array_equal(again, first)
    for seed, step in ((3, 6), (3, 15), (4, 5)):
        assert not np.array_equal(noise(used, seed, step)[0], first[0])
