"""This holds the encoders: from three channels to features keyed by stride."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfptx.network.grouped_conv import GroupedConv2D
from tfptx.network.imagenet import WeightsFile

# At its import the package chooses its Keras and says so on stdout; where it is not compiled yet,
# Python warns of the escapes in its docstrings.
os.environ["SM_FRAMEWORK"] = "tf.keras"
with contextlib.redirect_stdout(None), warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import efficientnet.model
    import segmentation_models
    from classification_models import weights as classification_weights
    from classification_models.models import senet
    from tensorflow import keras as tf_keras

Tensor = Any  # keras ships no types; an array of the backend in use

SKIP_STRIDES = (16, 8, 4, 2)  # the order in which segmentation-models lists an encoder's skips
STRIDES = (2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Encoder:
    """One encoder: whose skips it has in segmentation-models, and where its weights lie.

    Skips without a name count layers; SE-ResNeXt's are counted with 32 slices for each group
    convolution, so with one layer they are those of the plain SE-ResNet.
    """

    skips_of: str
    weights: Callable[[], WeightsFile]


def _classification_weights(name: str) -> WeightsFile:
    (found,) = (
        entry
        for entry in classification_weights.WEIGHTS_COLLECTION
        if (entry["model"], entry["dataset"]) == (name, "imagenet") and not entry["include_top"]
    )
    return WeightsFile(found["name"], found["url"], found["md5"])


def _efficientnet_weights(name: str) -> WeightsFile:
    file = f"{name}_weights_tf_dim_ordering_tf_kernels_autoaugment_notop.h5"
    _, checksum = efficientnet.model.WEIGHTS_HASHES[name]
    return WeightsFile(file, efficientnet.model.BASE_WEIGHTS_PATH + file, checksum)


ENCODERS: dict[str, Encoder] = {
    "resnet18": Encoder("resnet18", lambda: _classification_weights("resnet18")),
    "resnet34": Encoder("resnet34", lambda: _classification_weights("resnet34")),
    "resnet50": Encoder("resnet50", lambda: _classification_weights("resnet50")),
    "seresnet50": Encoder("seresnet50", lambda: _classification_weights("seresnet50")),
    "seresnext50": Encoder("seresnet50", lambda: _classification_weights("seresnext50")),
    "efficientnetb0": Encoder("efficientnetb0", lambda: _efficientnet_weights("efficientnet-b0")),
    "efficientnetb1": Encoder("efficientnetb1", lambda: _efficientnet_weights("efficientnet-b1")),
    "efficientnetb2": Encoder("efficientnetb2", lambda: _efficientnet_weights("efficientnet-b2")),
    "efficientnetb3": Encoder("efficientnetb3", lambda: _efficientnet_weights("efficientnet-b3")),
    "efficientnetb4": Encoder("efficientnetb4", lambda: _efficientnet_weights("efficientnet-b4")),
    "efficientnetb5": Encoder("efficientnetb5", lambda: _efficientnet_weights("efficientnet-b5")),
}


def build(name: str, size_px: int | None = None) -> keras.Model:
    """Build an encoder with random weights.

    Input float N x H x W x 3, scaled by `scaling`; output a dict of features, "stride2" to
    "stride32", each N x H/stride x W/stride x channels. Raises ValueError on an unknown name.
    """
    spec = _known(name)
    backbones = segmentation_models.Backbones
    with _one_layer_for_each_group_convolution():
        backbone = backbones.get_backbone(
            name,
            input_shape=(size_px, size_px, 3),
            weights=None,
            include_top=False,
            backend=tf_keras.backend,
            layers=tf_keras.layers,
            models=tf_keras.models,
            utils=tf_keras.utils,
        )
    skips = zip(SKIP_STRIDES, backbones.get_feature_layers(spec.skips_of, 4), strict=True)
    features = {stride: _layer(backbone, where).output for stride, where in skips}
    features[32] = backbone.output
    return keras.Model(
        backbone.input,
        {feature(stride): features[stride] for stride in STRIDES},
        name="encoder",
    )


def feature(stride: int) -> str:
    """Give the key of an encoder's features at a stride."""
    return f"stride{stride}"


def scaling(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give scale and offset of each of the three channels, from [0, 255] to what `name` takes.

    They are read off the encoder's own preprocessing, which is a scaling by channel.
    """
    _known(name)
    preprocess = segmentation_models.get_preprocessing(name)
    black, white = (
        np.asarray(preprocess(np.full((1, 1, 3), level)), np.float64).ravel()
        for level in (0.0, 255.0)
    )
    return (white - black) / 255, black


def weights_file(name: str) -> WeightsFile:
    """Give the file of ImageNet weights, without classifier, that the encoder's package names."""
    return _known(name).weights()


def _known(name: str) -> Encoder:
    if name not in ENCODERS:
        raise ValueError(f"encoder {name!r} is unknown; choose one of {', '.join(ENCODERS)}")
    return ENCODERS[name]


def _layer(model: keras.Model, where: str | int) -> keras.layers.Layer:
    if isinstance(where, str):
        return model.get_layer(where)
    return model.get_layer(index=where)


@contextlib.contextmanager
def _one_layer_for_each_group_convolution() -> Iterator[None]:
    """Let the packages build from layers that Keras saves, clones and loads."""
    replaced = {
        (senet, "GroupConv2D"): _group_convolution,
        (senet, "ChannelSE"): _squeeze_and_excitation,
        (efficientnet.model, "get_swish"): lambda **_: keras.activations.silu,
        (efficientnet.model, "get_dropout"): lambda **_: keras.layers.Dropout,
    }
    originals = {(module, name): getattr(module, name) for module, name in replaced}
    try:
        for (module, name), replacement in replaced.items():
            setattr(module, name, replacement)
        yield
    finally:
        for (module, name), original in originals.items():
            setattr(module, name, original)


def _group_convolution(
    filters: int,
    kernel_size: tuple[int, int],
    strides: int,
    groups: int,
    kernel_initializer: str,
    use_bias: bool,
    **_: Any,
) -> keras.layers.Layer:
    return GroupedConv2D(
        filters,
        kernel_size,
        strides=strides,
        groups=groups,
        kernel_initializer=kernel_initializer,
        use_bias=use_bias,
    )


def _squeeze_and_excitation(reduction: int, **_: Any) -> Callable[[Tensor], Tensor]:
    """Give the package's block with a Reshape where it has a Lambda, which can't be loaded."""
    layers = keras.layers

    def block(features: Tensor) -> Tensor:
        channels = features.shape[-1]
        gate = layers.GlobalAveragePooling2D()(features)
        gate = layers.Reshape((1, 1, channels))(gate)
        gate = layers.Conv2D(channels // reduction, 1, kernel_initializer="he_uniform")(gate)
        gate = layers.Activation("relu")(gate)
        gate = layers.Conv2D(channels, 1, kernel_initializer="he_uniform")(gate)
        gate = layers.Activation("sigmoid")(gate)
        return layers.Multiply()([features, gate])

    return block
