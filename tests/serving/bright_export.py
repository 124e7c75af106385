"""An export whose masks are known without it: what is brighter than half of white."""

import keras
import tensorflow as tf

from tfptx.operating_point import rule
from tfptx.serving import layout, served_model

PAIR = rule.pair(0.5, 300, 64)


def write(folder):
    """Version 3 of an export, of masks of at least 300 pixels of 64 x 64."""
    layer = keras.layers.Conv2D(1, 1, kernel_initializer="ones", bias_initializer="zeros")
    images = keras.Input((None, None, 1))
    network = keras.Model(images, layer(keras.layers.Rescaling(0.1, -12.75)(images)))
    module, serve = served_model.build([network], PAIR, 64, False)
    tf.saved_model.save(module, str(folder / "3"), {layout.SIGNATURE: serve})
    return folder
