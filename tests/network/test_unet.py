import keras
import numpy as np
import pytest
import segmentation_models
import tensorflow as tf

from tfptx.network import encoders, unet

SIZE_PX = 64
# Counted on segmentation_models.Unet(name, encoder_weights=None).
NUM_PARAMETERS = {
    "resnet18": 14_340_570,
    "resnet34": 24_456_154,
    "resnet50": 32_561_114,
    "seresnet50": 35_107_201,
    "seresnext50": 34_594_177,
    "efficientnetb0": 10_115_501,
    "efficientnetb1": 12_641_169,
    "efficientnetb2": 14_295_299,
    "efficientnetb3": 17_867_833,
    "efficientnetb4": 25_735_017,
    "efficientnetb5": 37_468_673,
}
CHANNELS = {
    "resnet18": (64, 64, 128, 256, 512),
    "resnet34": (64, 64, 128, 256, 512),
    **dict.fromkeys(("resnet50", "seresnet50", "seresnext50"), (64, 256, 512, 1024, 2048)),
    **dict.fromkeys(("efficientnetb0", "efficientnetb1"), (96, 144, 240, 672, 1280)),
    "efficientnetb2": (96, 144, 288, 720, 1408),
    "efficientnetb3": (144, 192, 288, 816, 1536),
    "efficientnetb4": (144, 192, 336, 960, 1792),
    "efficientnetb5": (144, 240, 384, 1056, 2048),
}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (2, SIZE_PX, SIZE_PX, 1)).astype(np.float32)


@pytest.fixture(scope="module", params=list(encoders.ENCODERS))
def network(request):
    keras.utils.set_random_seed(0)
    return unet.build(request.param)


def encoder_name(network):
    return network.name.removeprefix("unet_")


def test_features_halve_by_stride(network):
    features = network.get_layer("encoder").output
    assert [int(name.removeprefix("stride")) for name in features] == list(encoders.STRIDES)
    assert tuple(f.shape[-1] for f in features.values()) == CHANNELS[encoder_name(network)]
    shapes = network.get_layer("encoder").compute_output_shape((1, SIZE_PX, 2 * SIZE_PX, 3))
    for stride, shape in zip(encoders.STRIDES, shapes.values(), strict=True):
        assert shape[1:3] == (SIZE_PX // stride, 2 * SIZE_PX // stride)


def test_it_has_the_parameters_of_segmentation_models(network):
    assert network.count_params() == NUM_PARAMETERS[encoder_name(network)]


def test_logits_are_float32_in_the_size_of_the_images(network, images):
    logits = network(images)
    assert logits.shape == images.shape
    assert logits.dtype == tf.float32
    assert np.std(logits) > 0


def test_groups_hold_every_weight_once(network):
    groups = unet.groups(network)
    assert list(groups) == ["stride2", "stride4", "stride8", "stride16", "stride32", "decoder"]
    assert all(groups.values())
    grouped = [
        id(weight) for layers in groups.values() for layer in layers for weight in layer.weights
    ]
    assert sorted(grouped) == sorted(id(weight) for weight in network.weights)


def test_a_group_ends_where_its_features_are(network, images):
    """Only its own and later groups can change what comes after a stride's features."""
    encoder = network.get_layer("encoder")
    three = np.repeat(images, 3, axis=-1) / 255
    before = encoder(three)
    layer = next(x for x in reversed(unet.groups(network)["stride8"]) if x.trainable_weights)
    kept = layer.get_weights()
    layer.set_weights([value + 0.5 for value in kept])
    after = encoder(three)
    layer.set_weights(kept)
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    assert changed == ["stride8", "stride16", "stride32"]


def test_freezing_stops_weights_and_batch_norm_statistics(network, images):
    frozen = [
        layer
        for name, layers in unet.groups(network).items()
        if name != "decoder"
        for layer in layers
    ]
    weights = [weight for layer in frozen for weight in layer.weights]
    free = unet.groups(network)["decoder"]
    kept = network.get_weights()
    before = [weight.numpy() for weight in weights]
    try:
        for layer in frozen:
            layer.trainable = False
        assert {id(w) for w in network.trainable_weights} == {
            id(w) for layer in free for w in layer.trainable_weights
        }
        statistics = [w.numpy() for layer in free for w in layer.non_trainable_weights]
        network(images, training=True)
        moved = [w.numpy() for layer in free for w in layer.non_trainable_weights]
    finally:
        for layer in frozen:
            layer.trainable = True
    for weight, value in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight, value, err_msg=weight.path)
    assert all(not np.array_equal(a, b) for a, b in zip(statistics, moved, strict=True))
    network.set_weights(kept)


def test_a_gradient_reaches_every_trainable_weight(network, images):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.sin(network(images)))
    weights = network.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.any(gradient), weight.path


def test_a_saved_network_is_the_same(network, images, tmp_path):
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(images), network(images))
    assert {name: len(layers) for name, layers in unet.groups(loaded).items()} == {
        name: len(layers) for name, layers in unet.groups(network).items()
    }


def test_weights_go_to_another_build_whose_layers_are_named_otherwise(images, tmp_path):
    first, second = unet.build("seresnext50"), unet.build("seresnext50", SIZE_PX)
    names = [[layer.name for layer in unet.groups(x)["stride8"]] for x in (first, second)]
    assert names[0] != names[1]
    first.save_weights(tmp_path / "network.weights.h5")
    second.load_weights(tmp_path / "network.weights.h5")
    np.testing.assert_array_equal(second(images), first(images))


@pytest.fixture(params=[("float64", 1e-9), ("float32", 1e-3)], ids=lambda param: param[0])
def precision(request):
    """A dtype, in which networks are built, and how far logits may be apart in it."""
    for dtype, result in ((request.param[0], request.param), ("float32", None)):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        if result:
            yield result


@pytest.mark.parametrize("name", list(encoders.ENCODERS))
def test_logits_are_those_of_segmentation_models(name, precision, images):
    dtype, tolerance = precision
    original = segmentation_models.Unet(name, encoder_weights=None, activation="linear")
    network = unet.build(name, SIZE_PX)
    give_weights(original, network)
    # Keras's Rescaling keeps its factors in float32.
    scale, offset = (each.astype(np.float32) for each in encoders.scaling(name))
    scaled = images.astype(np.float64) * scale.astype(np.float64) + offset
    expected = np.asarray(original(scaled.astype(dtype)))
    found = np.asarray(network(images.astype(dtype)))
    assert found.dtype == expected.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.std(expected))


def give_weights(original, network):
    """Draw weights, and give them to both; layers of one kind stand in one order."""
    random = np.random.default_rng(1)
    layers = {}
    for layer in (layer for layer in original.layers if layer.weights):
        # Variances and scales above 0, and kernels as they are: else the logits would explode.
        layer.set_weights(
            [
                random.uniform(0.5, 1, weight.shape) * (np.array(weight) if weight.ndim > 1 else 1)
                for weight in layer.weights
            ]
        )
        layers.setdefault(kind(layer), []).append(layer)
    ours = [*network.get_layer("encoder").layers, *unet.groups(network)["decoder"]]
    for layer in (layer for layer in ours if layer.weights):
        parts = [layers[kind(layer)].pop(0) for _ in range(getattr(layer, "groups", 1))]
        layer.set_weights(
            [
                np.concatenate(each, axis=-1)
                for each in zip(*(p.get_weights() for p in parts), strict=True)
            ]
        )
    assert not any(layers.values())


def kind(layer):
    """What two layers share that may stand for each other, whatever their names."""
    names = tuple(weight.name for weight in layer.weights)
    kernel = layer.weights[0].shape[:2] if len(layer.weights[0].shape) > 1 else ()
    return names, tuple(kernel)


def test_decoder_and_head_start_as_in_segmentation_models():
    original = segmentation_models.Unet("resnet18", encoder_weights=None, activation="linear")
    for layer in unet.groups(unet.build("resnet18"))["decoder"]:
        name = "final_conv" if layer.name == "logits" else layer.name
        wanted = original.get_layer(name).get_config()
        found = layer.get_config()
        for key in wanted.keys() - {"name", "dtype", "axis"}:
            assert found[key] == wanted[key], (layer.name, key)


def test_one_seed_gives_one_network():
    first, second, third = (_seeded(seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, third, strict=True))


def _seeded(seed):
    keras.utils.set_random_seed(seed)
    return unet.build("resnet18")


def test_logits_stay_float32_under_mixed_precision(images):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = unet.build("resnet18", SIZE_PX)
    finally:
        keras.config.set_dtype_policy("float32")
    assert network(images).dtype == tf.float32
    assert network.get_layer("scaling").output.dtype == "float32"
    assert network.get_layer("encoder").get_layer("relu0").output.dtype == "bfloat16"


def test_a_clone_has_the_same_parts():
    network = unet.build("seresnext50", SIZE_PX)
    clone = keras.models.clone_model(network)
    assert [w.shape for w in clone.weights] == [w.shape for w in network.weights]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg16",), "choose one of resnet18"),
        (("resnet18", 100), "multiple of 32, got 100"),
        (("resnet18", 0), "multiple of 32, got 0"),
        (("resnet18", 64, "no/such.h5"), "no weights file at no/such.h5"),
    ],
)
def test_what_can_not_be_built_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        unet.build(*arguments)
