import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfptx.network import grouped_conv
from tfptx.network.grouped_conv import GroupedConv2D

# Channels, filters and groups: many thin groups, one group to a convolution, uneven, only one.
SHAPES = [(64, 64, 32), (64, 128, 2), (24, 12, 6), (5, 7, 1)]


def sliced(layer, images):
    """Each group by itself, as the 2019 packages compute it."""
    pieces = zip(
        tf.split(images, layer.groups, -1), tf.split(layer.kernel, layer.groups, -1), strict=True
    )
    convolved = [
        tf.nn.conv2d(part, piece, layer.strides, layer.padding.upper()) for part, piece in pieces
    ]
    return tf.concat(convolved, -1) + (layer.bias if layer.use_bias else 0.0)


def value_and_gradients(function, images, layer):
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = function(images)
        loss = tf.reduce_sum(tf.sin(outputs))
    return outputs, *tape.gradient(loss, [images, *(w.value for w in layer.trainable_weights)])


@pytest.mark.parametrize("with_xla", [False, True])
@pytest.mark.parametrize(("channels", "filters", "groups"), SHAPES)
def test_values_and_gradients_are_those_of_the_slices(channels, filters, groups, with_xla):
    keras.utils.set_random_seed(0)
    layer = GroupedConv2D(
        filters, 3, strides=2, groups=groups, padding="same", dtype="float64",
        bias_initializer="normal",
    )  # fmt: skip
    images = tf.random.normal((2, 9, 8, channels), dtype="float64")
    layer.build(images.shape)

    @tf.function(jit_compile=with_xla)
    def compiled(images):
        return value_and_gradients(layer, images, layer)

    expected = value_and_gradients(lambda images: sliced(layer, images), images, layer)
    for found, wanted in zip(compiled(images), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("channels", "filters", "groups"), SHAPES)
def test_the_kernel_is_that_of_keras_own_layer(channels, filters, groups, monkeypatch):
    keras.utils.set_random_seed(0)
    images = tf.random.normal((1, 6, 6, channels))
    layer = GroupedConv2D(filters, 3, groups=groups)
    packed = layer(images)
    plain = keras.layers.Conv2D(filters, 3, groups=groups)
    plain.build(images.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(packed, plain(images), rtol=1e-5, atol=1e-5)
    monkeypatch.setattr(grouped_conv, "is_native_form_fit", lambda: True)
    np.testing.assert_array_equal(layer(images), plain(images))


def test_a_gpu_gets_the_native_form(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert grouped_conv.is_native_form_fit()
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0"])
    assert not grouped_conv.is_native_form_fit()


@pytest.mark.parametrize(
    ("channels", "together"), [(1, 16), (4, 4), (5, 2), (8, 2), (16, 1), (64, 1)]
)
def test_groups_share_a_convolution_up_to_its_best_width(channels, together):
    assert grouped_conv.groups_together(channels, 32) == together


def test_it_survives_its_config_under_mixed_precision():
    layer = GroupedConv2D(32, 3, groups=8, use_bias=False, dtype="mixed_bfloat16")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(copy) is GroupedConv2D
    assert copy.get_config() == layer.get_config()
    assert copy(np.ones((1, 5, 5, 16), np.float32)).dtype == tf.bfloat16
    assert copy.kernel.dtype == "float32"


ON_JAX = """
import sys
import jax, numpy
from tfptx.network.grouped_conv import GroupedConv2D
images, kernel = numpy.load(sys.argv[1]).values()
layer = GroupedConv2D(kernel.shape[-1], 3, groups=32, padding="same", use_bias=False)
layer.build(images.shape)
total = lambda images, kernel: jax.numpy.sin(layer.convolution_op(images, kernel)).sum()
gradients = jax.jit(jax.grad(total, argnums=(0, 1)))(images, kernel)
numpy.savez(sys.argv[1], layer.convolution_op(images, kernel), *gradients)
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_gives_the_same_values_and_gradients_in_a_compiled_step(tmp_path):
    images, kernel = tf.random.normal((2, 9, 8, 64)), tf.random.normal((3, 3, 2, 64))
    np.savez(tmp_path / "conv.npz", images=images, kernel=kernel)
    subprocess.run(
        [sys.executable, "-c", ON_JAX, tmp_path / "conv.npz"],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        check=True,
    )
    layer = GroupedConv2D(64, 3, groups=32, padding="same", use_bias=False)
    layer.build(images.shape)
    layer.kernel.assign(kernel)
    expected = value_and_gradients(lambda images: sliced(layer, images), images, layer)
    with np.load(tmp_path / "conv.npz") as found:
        for one, other in zip(found.values(), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
