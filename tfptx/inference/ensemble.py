"""This holds what several networks, and each seeing the mirrored image, say together."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfptx.operating_point import rule


def probability(
    networks: Sequence[Callable[..., tf.Tensor]], images: tf.Tensor, flip: bool
) -> tf.Tensor:
    """The mean of the networks' probabilities, float32 N x S x S x 1 within 0 and 1.

    `networks` take `images`, float32 N x S x S x 1 in [0, 255], and `training`, and give logits.
    With `flip` each network's map of the left-right mirrored images, mirrored back, counts too.
    """
    maps = []
    for network in networks:
        maps.append(_sigmoid(network(images, training=False)))
        if flip:
            mirrored = network(tf.reverse(images, [2]), training=False)
            maps.append(tf.reverse(_sigmoid(mirrored), [2]))
    # TensorFlow's optimiser may turn a quotient into this product, in one graph and not in another.
    return tf.add_n(maps) * np.float32(1 / len(maps))


def at_size(probabilities: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor) -> tf.Tensor:
    """Probabilities, float32 N x S x S x 1, resized bilinearly with half-pixel centres."""
    return tf.image.resize(probabilities, [rows, columns], tf.image.ResizeMethod.BILINEAR)


def levels(probability: tf.Tensor, rows: int, columns: int) -> NDArray[np.uint16]:
    """The levels of one map, float32 1 x S x S x 1, at a size: uint16 rows x columns."""
    return rule.levels(np.asarray(at_size(probability, rows, columns))[0, :, :, 0])


def _sigmoid(logits: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(tf.cast(logits, tf.float32))
