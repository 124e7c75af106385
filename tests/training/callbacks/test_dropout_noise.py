import keras
import numpy as np

from tfptx.training.callbacks.dropout_noise import DropoutNoise


def network():
    """Two Dropout layers, the first inside a nested model."""
    inner = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])
    inputs = keras.Input((64,))
    return keras.Model(inputs, [inner(inputs), keras.layers.Dropout(0.5)(inputs)])


def noise(model, seed, epoch):
    DropoutNoise(model, seed).on_epoch_begin(epoch)
    return [np.asarray(part) for part in model(np.ones((1, 64)), training=True)]


def test_the_noise_hangs_on_seed_and_epoch_alone_and_differs_between_layers():
    used = network()
    noise(used, 0, 0)
    first = noise(used, 3, 5)
    for one, other in zip(first, noise(network(), 3, 5), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[0], first[1])
    for seed, epoch in ((3, 6), (4, 5)):
        assert not np.array_equal(noise(used, seed, epoch)[0], first[0])
