"""The command line with a U-Net so small that JAX compiles its step in a second or two."""

import sys
from unittest import mock

import keras

from tests import tiny_study
from tfptx import config
from tfptx.cli.main import main
from tfptx.network import decoder, encoders

CHANNELS = 4
# The second epoch begins with layers that join, another term of the loss and half a cycle.
OVERRIDES = (
    "augmentation.engine=graph",
    "stage.1.epochs=2",
    "stage.1.size_px=64",
    "stage.1.batch_size=2",
    "stage.1.clip_norm=0.02",
    "stage.1.unfreezing.from_epoch={decoder=0, stride32=0, stride16=0, stride8=1, stride4=1, "
    "stride2=1}",
    "stage.1.unfreezing.rate_multiplier={stride32=0.5}",
    "stage.1.unfreezing.warm_up_steps=3",
    "stage.1.rate.half_cycle_epochs=1",
    "stage.1.rate.largest=0.01",
    "stage.1.curriculum=[{from_epoch=0, ramp_epochs=0, weights={weighted_bce=1.0}}, "
    "{from_epoch=1, ramp_epochs=1, weights={soft_dice=1.0, lovasz_hinge=1.0}}]",
)


def study(*overrides):
    return tiny_study.study(*OVERRIDES, *overrides)


def write_config(path, *overrides):
    path.write_text(config.to_toml(study(*overrides)))
    return path


def encoder(name, size_px=None):
    images = keras.Input((size_px, size_px, 3))
    features, x = {}, images
    for stride in encoders.STRIDES:
        # A bias before batch norm has a gradient of rounding alone, of which Adam makes steps.
        convolve = keras.layers.Conv2D(CHANNELS, 3, 2, "same", use_bias=False, name=f"conv{stride}")
        x = convolve(x)
        x = keras.layers.BatchNormalization(name=f"norm{stride}")(x)
        x = keras.layers.ReLU(name=f"relu{stride}")(x)
        features[encoders.feature(stride)] = x
    return keras.Model(images, features, name="encoder")


if __name__ == "__main__":
    narrow = dict.fromkeys(decoder.FILTERS, CHANNELS)
    with (
        mock.patch.object(encoders, "build", encoder),
        mock.patch.object(decoder, "FILTERS", narrow),
    ):
        main(sys.argv[1:])
