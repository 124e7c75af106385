import keras
import numpy as np
import pytest
import tensorflow as tf

from tfptx.config import Decoder
from tfptx.network import rematerialisation, unet

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)


def step(model, network):
    """The loss, the gradients and the weights after a forward pass, from the same start."""
    weights = network.get_weights()

    @tf.function
    def compiled(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.sin(model(images, training=True)))
        return loss, tape.gradient(loss, [each.value for each in network.trainable_variables])

    seeded(network, 1)
    loss, gradients = compiled(IMAGES)
    moved = network.get_weights()
    network.set_weights(weights)
    return loss, [np.asarray(each) for each in gradients], moved


def seeded(network, seed):
    """Seed dropout, made strong enough that other noise shows; tell whether there is any."""
    layers = [x for x in unet.all_layers(network) if isinstance(x, keras.layers.Dropout)]
    for layer in layers:
        layer.rate = 0.5
        layer.seed_generator.state.assign([seed, 2])
    return bool(layers)


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        ("resnet18", Decoder(upsampling="transposed", attention="scse")),
        # With dropout and squeeze-and-excitation, and group convolutions; frozen in part.
        ("efficientnetb0", Decoder(upsampling="nearest", attention="none")),
        ("seresnext50", Decoder(upsampling="nearest", attention="none")),
    ],
)
def test_a_step_is_that_of_the_network_itself(encoder, decoder):
    keras.utils.set_random_seed(0)
    network = unet.build(encoder, 64, decoder=decoder)
    for layer in unet.groups(network)["stride4"]:
        layer.trainable = False
    start = network.get_weights()
    light = rematerialisation.rematerialised(network)
    assert {id(each) for each in light.variables} == {id(each) for each in network.variables}
    np.testing.assert_array_equal(light(IMAGES), network(IMAGES))
    if seeded(network, 1):
        one = network(IMAGES, training=True)
        seeded(network, 7)
        assert np.abs(one - network(IMAGES, training=True)).max() > 0.1
        network.set_weights(start)
    expected, found = step(network, network), step(light, network)
    again = step(light, network)
    np.testing.assert_array_equal(again[0], found[0])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    for gradient, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())
    for weight, other in zip(found[2], expected[2], strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-6, atol=1e-7)


def test_blocks_hold_two_convolutions_and_pass_little_on():
    network = unet.build("resnet18", 64)
    light = rematerialisation.rematerialised(network)
    blocks = [each for each in light.layers if isinstance(each, rematerialisation.Block)]
    assert len(blocks) > 10
    held = [layer for block in blocks for layer in block.part.layers if layer.weights]
    every = [layer for layers in unet.groups(network).values() for layer in layers]
    assert {id(layer) for layer in held} == {id(layer) for layer in every}
    for block in blocks:
        # What came before, and the features of its stride.
        assert len(block.part.inputs) <= 2
