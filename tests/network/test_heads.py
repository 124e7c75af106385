import keras
import numpy as np
import pytest

from tfptx.network import heads, unet

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return unet.build("resnet18", heads=["presence", "distance"])


def test_other_heads_stand_beside_the_mask(network):
    found = network(IMAGES)
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        "mask": (2, 64, 64, 1),
        "presence": (2, 1),
        "distance": (2, 64, 64, 1),
    }
    assert np.abs(found["distance"]).max() <= 1
    np.testing.assert_array_equal(heads.mask(found), found["mask"])
    alone = unet.build("resnet18")
    np.testing.assert_array_equal(heads.mask(alone(IMAGES)), alone(IMAGES))


def test_they_train_with_the_decoder(network):
    layers = unet.groups(network)["decoder"]
    assert {"logits", "presence", "distance_logits"} <= {layer.name for layer in layers}


def test_they_compute_in_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = unet.build("resnet18", 64, heads=["presence", "distance"])
    finally:
        keras.config.set_dtype_policy(before)
    assert found.get_layer("decoder_stage0a_conv").compute_dtype == "bfloat16"
    assert {each.dtype for each in found.outputs} == {"float32"}
    for name in ("logits", "presence", "distance_logits", "distance"):
        assert found.get_layer(name).compute_dtype == "float32"


def test_the_file_of_weights_takes_them_along(network, tmp_path):
    network.save_weights(tmp_path / "a.weights.h5")
    other = unet.build("resnet18", heads=["presence", "distance"])
    other.load_weights(tmp_path / "a.weights.h5")
    for one, two in zip(network(IMAGES).values(), other(IMAGES).values(), strict=True):
        np.testing.assert_array_equal(one, two)
