import itertools

import keras
import numpy as np
import pytest
import segmentation_models
import tensorflow as tf

from tfptx.config import Decoder
from tfptx.network import decoder, unet

SIZE_PX = 64
FORMS = [
    Decoder(upsampling=upsampling, attention=attention)
    for upsampling, attention in itertools.product(("nearest", "transposed"), ("none", "scse"))
]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (2, SIZE_PX, SIZE_PX, 1)).astype(np.float32)


@pytest.fixture(
    scope="module", params=FORMS, ids=lambda form: f"{form.upsampling}-{form.attention}"
)
def network(request):
    keras.utils.set_random_seed(0)
    return request.param, unet.build("resnet18", decoder=request.param)


def test_every_form_gives_logits_a_gradient_to_every_weight_and_its_groups(network, images):
    _, model = network
    for layer in unet.groups(model)["decoder"]:
        if layer.name.endswith("_squeeze"):
            # Of a handful of units all may lie dead by chance; the features are positive.
            layer.kernel.assign(abs(layer.kernel))
    with tf.GradientTape() as tape:
        # In training batch norm keeps random features from saturating the gates.
        logits = model(images, training=True)
        loss = tf.reduce_mean(tf.sin(logits))
    assert logits.shape == images.shape
    weights = model.trainable_weights
    for weight, gradient in zip(
        weights, tape.gradient(loss, [w.value for w in weights]), strict=True
    ):
        assert np.any(gradient), weight.path
    grouped = [w for layers in unet.groups(model).values() for x in layers for w in x.weights]
    assert len(grouped) == len(model.weights)


def test_every_form_is_saved_and_loaded_and_takes_any_size(network, images, tmp_path):
    form, model = network
    model.save_weights(tmp_path / "w.weights.h5")
    other = unet.build("resnet18", SIZE_PX, decoder=form)
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(other(images), model(images))
    wide = np.zeros((1, 32, 96, 1), np.float32)
    assert model(wide).shape == wide.shape


def test_transposed_it_has_the_parameters_of_segmentation_models():
    original = segmentation_models.Unet(
        "resnet18", encoder_weights=None, decoder_block_type="transpose", activation="linear"
    )
    assert unet.build("resnet18", decoder=FORMS[2]).count_params() == original.count_params()


def test_attention_is_its_formula():
    """The sum of x times a gate of its channels' means and x times a gate of each place."""
    inputs = keras.Input((4, 4, 32))
    model = keras.Model(inputs, decoder._attended(inputs, "scse"))
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    x = random.normal(size=(2, 4, 4, 32)).astype(np.float32)
    weights = {weight.path: np.array(weight) for weight in model.weights}

    def dense(values, name):
        return values @ weights[f"scse_{name}/kernel"][0, 0] + weights[f"scse_{name}/bias"]

    def sigmoid(values):
        return 1 / (1 + np.exp(-values))

    hidden = np.maximum(dense(x.mean(axis=(1, 2), keepdims=True), "squeeze"), 0)
    expected = x * sigmoid(dense(hidden, "channels")) + x * sigmoid(dense(x, "places"))
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)
