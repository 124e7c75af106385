"""The forms of the Lovasz hinge: as exact as each other, in every kind of step, on every value."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.python.framework import config as tf_config

from tests.objectives.lovasz_reference import (
    exact_logits,
    published,
    trained_like,
    value_and_gradient,
)
from tfptx.objectives.lovasz import symmetric_lovasz_hinge

SIDE_PX = 1024
BOTH_SORTS = pytest.mark.parametrize("sort", ["wrong", "all"])
# XLA compiles the form with static shapes only.
EVERY_FORM_AND_STEP = pytest.mark.parametrize(
    ("hinge", "sort", "step"),
    [
        ("relu", "wrong", "eager"),
        ("relu", "wrong", "graph"),
        ("relu", "all", "graph"),
        ("relu", "all", "xla"),
        ("elu", "all", "graph"),
        ("elu", "all", "xla"),
    ],
)


def image_at_1024_px(kind):
    generator = np.random.default_rng(17)
    if kind == "random":
        truth = (generator.random((1, SIDE_PX, SIDE_PX, 1)) < 0.3).astype("float32")
        return truth, exact_logits(truth, generator)
    return trained_like(SIDE_PX, kind == "trained-like", generator)


@BOTH_SORTS
@pytest.mark.parametrize("kind", ["trained-like", "random", "empty"])
def test_each_pixel_has_the_float64_gradient_within_1e_6_of_it_at_1024_px(sort, kind):
    truth, logits = image_at_1024_px(kind)
    value, gradient = value_and_gradient(truth, logits, "relu", "image", sort)
    expected, expected_gradient = published(truth, logits, "relu")
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    # Relative pixel by pixel: on an empty image the largest is a million times the others.
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", ["trained-like", "random", "empty"])
def test_the_elu_has_the_float64_gradient_at_1024_px(kind):
    truth, logits = image_at_1024_px(kind)
    value, gradient = value_and_gradient(truth, logits, "elu")
    expected, expected_gradient = published(truth, logits, "elu")
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    largest = np.abs(expected_gradient).max()
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-6 * largest)


quarters = st.integers(-12, 12).map(lambda quarter: quarter / 4)  # few values: errors tie, at 0 too


@given(
    per=st.sampled_from(["image", "batch"]),
    batch=st.integers(1, 6).flatmap(
        lambda num_px: st.lists(
            st.lists(st.tuples(st.booleans(), quarters), min_size=num_px, max_size=num_px),
            min_size=1,
            max_size=3,
        )
    ),
)
@settings(deadline=None, max_examples=60)
def test_the_forms_are_equal(per, batch):
    truth, logits = np.moveaxis(np.array(batch, "float32"), 2, 0)[..., None, None]
    found, expected = (
        value_and_gradient(truth, logits, "relu", per, sort) for sort in ("wrong", "all")
    )
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("per", ["image", "batch"])
@pytest.mark.parametrize("side", [-1, 1], ids=["all wrong", "all right"])
def test_the_forms_are_equal_where_all_pixels_are_on_one_side(side, per):
    truth = np.zeros((2, 8, 8, 1), "float32")
    truth[0, :3] = 1
    logits = side * (2 * truth - 1) * np.linspace(1, 3, truth.size).reshape(truth.shape)
    found, expected = (
        value_and_gradient(truth, logits.astype("float32"), "relu", per, sort)
        for sort in ("wrong", "all")
    )
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)
    assert (found[0] == 0).all() == (side == 1)
    assert (found[1] == 0).all() == (side == 1)


@pytest.mark.parametrize("mask", [0, 1], ids=["no mask", "all mask"])
def test_an_image_without_wrong_pixels_costs_nothing_beside_a_wrong_one(mask):
    truth = np.full((2, 2, 2, 1), mask, "float32")
    logits = 3 * (2 * truth - 1)
    logits[1] *= -1
    value, gradient = value_and_gradient(truth, logits, "relu", "image", "wrong")
    np.testing.assert_allclose(value, [0, 4], rtol=1e-6)
    np.testing.assert_array_equal(gradient[0], 0)
    assert np.isfinite(gradient).all()


@pytest.fixture
def batch():
    """Three images of which the second has no mask and the third is right everywhere."""
    generator = np.random.default_rng(19)
    truth = (generator.random((3, 8, 8, 1)) < 0.3).astype("float32")
    truth[1] = 0
    logits = exact_logits(truth, generator)
    logits[2] = 4 * (2 * truth[2] - 1)
    return truth, logits


@EVERY_FORM_AND_STEP
@pytest.mark.parametrize("num_px", [1, 64])
def test_nan_logits_make_their_image_nan_and_no_other(hinge, sort, step, num_px, batch):
    truth, logits = batch
    expected, expected_gradient = value_and_gradient(truth, logits, hinge, "image", sort, kind=step)
    logits[0].flat[:num_px] = np.nan
    value, gradient = value_and_gradient(truth, logits, hinge, "image", sort, kind=step)
    assert np.isnan(value[0])
    np.testing.assert_array_equal(value[1:], expected[1:])
    np.testing.assert_array_equal(gradient[1:], expected_gradient[1:])
    assert np.isfinite(gradient[0].flat[num_px:]).all()
    whole, _ = value_and_gradient(truth, logits, hinge, "batch", sort, kind=step)
    assert np.isnan(whole).all()


@EVERY_FORM_AND_STEP
def test_infinite_logits_cost_infinity_on_the_wrong_side_only(hinge, sort, step, batch):
    truth, logits = batch
    signs = 2 * truth - 1
    logits[:, 0, 0, 0] = signs[:, 0, 0, 0] * 200
    expected, expected_gradient = value_and_gradient(truth, logits, hinge, "image", sort, kind=step)
    logits[:, 0, 0, 0] = signs[:, 0, 0, 0] * np.inf
    value, gradient = value_and_gradient(truth, logits, hinge, "image", sort, kind=step)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6)
    logits[:, 0, 0, 0] *= -1
    value, gradient = value_and_gradient(truth, logits, hinge, "image", sort, kind=step)
    assert np.isposinf(value).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("sort", "is_static"), [("wrong", False), ("all", True)])
def test_the_form_for_xla_has_static_shapes_only(sort, is_static):
    fixed = tf.TensorSpec([2, 32, 32, 1])

    @tf.function(input_signature=[fixed, fixed])
    def traced(truth, logits):
        return symmetric_lovasz_hinge(truth, logits, sort=sort)

    operations = traced.get_concrete_function().graph.get_operations()
    shapes = [output.shape for operation in operations for output in operation.outputs]
    assert all(shape.is_fully_defined() for shape in shapes) == is_static


@pytest.mark.parametrize(("sort", "jit"), [(None, False), ("all", True)], ids=["graph", "xla"])
@pytest.mark.parametrize("per", ["image", "batch"])
def test_a_keras_fit_lowers_it(per, sort, jit):
    # A fit that ran before in this process made it so, and Keras then compiles no step with XLA.
    tf_config.disable_op_determinism()
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(23)
    images = generator.random((5, 8, 8, 1)).astype("float32")
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(1, 1)])

    def loss(truth, logits):
        return symmetric_lovasz_hinge(truth, logits, per=per, sort=sort)

    model.compile(keras.optimizers.Adam(0.1), loss, jit_compile=jit)
    # A batch size that leaves a smaller batch at the end.
    history = model.fit(images, images > 0.5, batch_size=2, epochs=12, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.7 * history[0]


ON_JAX = """
import sys
import jax, numpy
from tfptx.objectives.lovasz import symmetric_lovasz_hinge
truth, logits = numpy.load(sys.argv[1]).values()
value = lambda logits: symmetric_lovasz_hinge(truth, logits, sys.argv[2]).sum()
print(*jax.jit(jax.grad(value))(logits).ravel())
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.parametrize("hinge", ["relu", "elu"])
def test_jax_gives_the_same_gradients_in_a_compiled_step(hinge, batch, tmp_path):
    truth, logits = batch
    np.savez(tmp_path / "batch.npz", truth=truth, logits=logits)
    found = subprocess.run(
        [sys.executable, "-c", ON_JAX, tmp_path / "batch.npz", hinge],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    _, expected = value_and_gradient(truth, logits, hinge)
    gradient = np.array(found.stdout.split(), "float32")
    np.testing.assert_allclose(gradient, expected.ravel(), rtol=1e-6, atol=1e-8)
