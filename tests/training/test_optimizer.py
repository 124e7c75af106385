"""The grouped optimizer against Adam itself, by hand where it differs."""

import keras
import numpy as np
import pytest

from tests.training import learning
from tfptx.training.optimizer import GroupedAdam

# Weights move by up to 1e-2 a step. TensorFlow's operation takes 1 - 0.999 in float32, which is
# 5e-5 off, and a bias before batch norm has a gradient of nothing but rounding.
ATOL = 5e-5


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
        GroupedAdam(learning.groups(ours), 0.0, {}, learning_rate=1e-2), ours, constant_gradients
    )
    expected = moved(keras.optimizers.Adam(1e-2), plain, constant_gradients)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ATOL)


def test_weight_decay_is_an_l2_term_of_the_gradient():
    decay = 0.5
    ours, plain = learning.network(), learning.network()
    found = moved(
        GroupedAdam(learning.groups(ours), decay, {}, learning_rate=1e-2), ours, constant_gradients
    )

    def with_l2(variables):
        gradients = constant_gradients(variables)
        return [g + decay * v.numpy() for g, v in zip(gradients, variables, strict=True)]

    expected = moved(keras.optimizers.Adam(1e-2), plain, with_l2)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ATOL)


@pytest.mark.parametrize("multiplier", [0.0, 0.25])
def test_a_groups_multiplier_scales_its_moves_alone(multiplier):
    ours, plain = learning.network(), learning.network()
    start = [w.copy() for w in plain.get_layer("deep").get_weights()]
    optimizer = GroupedAdam(learning.groups(ours), 0.0, {}, learning_rate=1e-2)
    optimizer.multiply("stride32", multiplier)
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
        np.testing.assert_allclose(now, whole, rtol=0, atol=ATOL)


def test_multipliers_start_from_the_groups_own():
    model = learning.network()
    optimizer = GroupedAdam(learning.groups(model), 0.0, {"stride32": 0.5})
    optimizer.multiply("stride32", 0.1)
    optimizer.multiply("decoder", 0.1)
    found = {name: float(value) for name, value in optimizer.multipliers.items()}
    assert found == pytest.approx({"stride32": 0.05, "decoder": 0.1})


def test_two_accumulated_batches_are_one_of_twice_the_size():
    """The gradient is averaged first and clipped then, over all variables."""
    settings = {"learning_rate": 1e-2, "global_clipnorm": 1e-3, "weight_decay": 1e-2}
    images, masks = learning.data()
    weights = []
    for batch_size, accumulated in ((4, None), (2, 2)):
        model = learning.network()
        # Batch norm would see batches of two sizes.
        model.get_layer("deep_norm").trainable = False
        found, _ = learning.learner(model, gradient_accumulation_steps=accumulated, **settings)
        found.fit(images, masks, batch_size=batch_size, epochs=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
        assert int(found.optimizer.iterations) == 3 * len(images) // 4
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "settings", [{}, {"gradient_accumulation_steps": 2, "clipnorm": 0.5}, {"amsgrad": True}]
)
def test_the_step_in_one_operation_is_kerass_own(settings, monkeypatch):
    """Both compiled, over some steps with a group at another rate."""
    moved = []
    for backend in ("tensorflow", "as keras"):
        monkeypatch.setattr(keras.config, "backend", lambda backend=backend: backend)
        model = learning.network()
        rates = {"stride32": 0.25}
        found, _ = learning.learner(
            model, learning_rate=1e-2, weight_decay=1e-3, rate_multipliers=rates, **settings
        )
        learning.fit(found, [], epochs=3)
        moved.append([*model.get_weights(), *(each.numpy() for each in found.optimizer.variables)])
    for one, other in zip(*moved, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=ATOL)


def doubles(variables):
    return [gradient.astype("float64") for gradient in constant_gradients(variables)]


def test_variables_of_float64_are_updated_in_it():
    keras.config.set_dtype_policy("float64")
    try:
        ours, plain = learning.network(), learning.network()
        found = GroupedAdam(learning.groups(ours), 0.0, {}, learning_rate=1e-2)
        one = moved(found, ours, doubles)
        other = moved(keras.optimizers.Adam(1e-2), plain, doubles)
    finally:
        keras.config.set_dtype_policy("float32")
    for weight, expected in zip(one, other, strict=True):
        assert weight.dtype == np.float64
        np.testing.assert_allclose(weight, expected, rtol=1e-12, atol=1e-12)
