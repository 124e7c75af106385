"""The grouped optimizer against Adam itself, by hand where it differs."""

import keras
import numpy as np
import pytest

from tests.training import learning
from tfptx.training.optimizer import GroupedAdam


def moved(optimizer, model, gradients):
    variables = [
        v
        for layers in learning.groups(model).values()
        for layer in layers
        for v in layer.trainable_variables
    ]
    for _ in range(3):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients(variables)], variables)
    return [v.numpy() for v in variables]


def constant_gradients(variables):
    random = np.random.default_rng(0)
    return [random.normal(size=v.shape).astype("float32") for v in variables]


def test_without_multipliers_and_decay_it_is_adam():
    ours, plain = learning.network(), learning.network()
    found = moved(
        GroupedAdam(learning.groups(ours), 0.0, learning_rate=1e-2), ours, constant_gradients
    )
    expected = moved(keras.optimizers.Adam(1e-2), plain, constant_gradients)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_weight_decay_is_an_l2_term_of_the_gradient():
    decay = 0.5
    ours, plain = learning.network(), learning.network()
    found = moved(
        GroupedAdam(learning.groups(ours), decay, learning_rate=1e-2), ours, constant_gradients
    )

    def with_l2(variables):
        gradients = constant_gradients(variables)
        return [g + decay * v.numpy() for g, v in zip(gradients, variables, strict=True)]

    expected = moved(keras.optimizers.Adam(1e-2), plain, with_l2)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("multiplier", [0.0, 0.25])
def test_a_groups_multiplier_scales_its_moves_alone(multiplier):
    ours, plain = learning.network(), learning.network()
    start = [w.copy() for w in plain.get_layer("deep").get_weights()]
    optimizer = GroupedAdam(learning.groups(ours), 0.0, learning_rate=1e-2)
    optimizer.multipliers["stride32"].assign(multiplier)
    moved(optimizer, ours, constant_gradients)
    moved(keras.optimizers.Adam(1e-2), plain, constant_gradients)
    for now, whole, then in zip(
        ours.get_layer("deep").get_weights(),
        plain.get_layer("deep").get_weights(),
        start,
        strict=True,
    ):
        np.testing.assert_allclose(now - then, multiplier * (whole - then), rtol=1e-4, atol=1e-7)
    for now, whole in zip(
        ours.get_layer("head").get_weights(), plain.get_layer("head").get_weights(), strict=True
    ):
        np.testing.assert_allclose(now, whole, rtol=1e-6, atol=1e-8)
