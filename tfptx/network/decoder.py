"""This holds the decoder: from features keyed by stride back to the size of the image.

That of segmentation-models 1.0.1, which this equals where nothing else is asked for.
"""

from typing import Any

import keras

from tfptx.config import Decoder
from tfptx.network import encoders
from tfptx.stage_config import STRIDE_PX

Tensor = Any  # keras ships no types; an array of the backend in use

FILTERS = {16: 256, 8: 128, 4: 64, 2: 32, 1: 16}  # by the stride that a block reaches
NEAREST = Decoder(upsampling="nearest", attention="none")
TRANSPOSED_PX = 4  # the kernel of a transposed convolution: twice its stride, so no checkerboard
REDUCTION = 16  # of channels within an attention's gate


def decode(features: dict[str, Tensor], form: Decoder = NEAREST) -> Tensor:
    """Give N x H x W x 16 of an encoder's features, "stride2" to "stride32".

    Each block doubles the size, by repeating pixels or by a transposed convolution, takes in the
    features of its stride, and convolves twice, or once after a transposed convolution. "scse"
    attention weighs channels and places, of what comes in and of what goes out (Roy et al. 2018,
    arXiv:1803.02579).
    """
    x = features[encoders.feature(STRIDE_PX)]
    for stage, (stride, filters) in enumerate(FILTERS.items()):
        name = f"decoder_stage{stage}"
        if form.upsampling == "nearest":
            x = keras.layers.UpSampling2D(name=f"{name}_upsampling")(x)
        else:
            x = _doubled(x, filters, f"{name}a")
        if stride in encoders.STRIDES:
            skip = features[encoders.feature(stride)]
            x = keras.layers.Concatenate(name=f"{name}_concat")([x, skip])
            if form.attention == "scse":
                x = _attended(x, f"{name}_attention_in")
        if form.upsampling == "nearest":
            x = _convolved(x, filters, f"{name}a")
        x = _convolved(x, filters, f"{name}b")
        if form.attention == "scse":
            x = _attended(x, f"{name}_attention_out")
    return x


def _convolved(x: Tensor, filters: int, name: str) -> Tensor:
    x = keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_uniform",
        name=f"{name}_conv",
    )(x)
    return _activated(x, name)


def _doubled(x: Tensor, filters: int, name: str) -> Tensor:
    x = keras.layers.Conv2DTranspose(
        filters, TRANSPOSED_PX, strides=2, padding="same", use_bias=False, name=f"{name}_transpose"
    )(x)
    return _activated(x, name)


def _activated(x: Tensor, name: str) -> Tensor:
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)


def _attended(x: Tensor, name: str) -> Tensor:
    """The sum of the features weighed by channel and weighed by place."""
    layers, channels = keras.layers, x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    gate = layers.Conv2D(
        max(channels // REDUCTION, 1), 1, activation="relu", name=f"{name}_squeeze"
    )(gate)
    gate = layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_channels")(gate)
    places = layers.Conv2D(1, 1, activation="sigmoid", name=f"{name}_places")(x)
    by_channel = layers.Multiply(name=f"{name}_by_channel")([x, gate])
    by_place = layers.Multiply(name=f"{name}_by_place")([x, places])
    return layers.Add(name=name)([by_channel, by_place])
