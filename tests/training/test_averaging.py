import keras
import numpy as np

from tests.training import learning
from tfptx.training import averaging


def test_the_mean_is_that_of_every_weight(tmp_path):
    model = learning.network()
    random = np.random.default_rng(0)
    versions = [
        [random.normal(size=weight.shape).astype(np.float32) for weight in model.get_weights()]
        for _ in range(3)
    ]
    paths = []
    for number, weights in enumerate(versions):
        model.set_weights(weights)
        paths.append(tmp_path / f"{number}.weights.h5")
        model.save_weights(paths[-1])
    averaging.load_mean(model, paths)
    for found, parts in zip(model.get_weights(), zip(*versions, strict=True), strict=True):
        np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-6, atol=1e-7)


def batches():
    random = np.random.default_rng(1)
    return [random.normal(2, 3, (4, 8, 8, 1)).astype(np.float32) for _ in range(3)]


def test_statistics_are_the_means_over_batches_of_the_batches_own():
    model = learning.network()
    norm = model.get_layer("deep_norm")
    momentum = norm.momentum
    averaging.estimate_statistics(model, iter(batches()))
    before = keras.Model(model.inputs, model.get_layer("deep").output)
    activations = [before.predict(images, verbose=0) for images in batches()]
    means = np.mean([each.mean(axis=(0, 1, 2)) for each in activations], axis=0)
    variances = np.mean([each.var(axis=(0, 1, 2)) for each in activations], axis=0)
    np.testing.assert_allclose(norm.moving_mean, means, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, variances, rtol=1e-3)
    assert norm.momentum == momentum


def test_layers_that_are_frozen_keep_their_statistics():
    model = learning.network()
    norm = model.get_layer("deep_norm")
    norm.trainable = False
    before = [np.array(norm.moving_mean), np.array(norm.moving_variance)]
    averaging.estimate_statistics(model, iter(batches()))
    np.testing.assert_array_equal(before, [norm.moving_mean, norm.moving_variance])
