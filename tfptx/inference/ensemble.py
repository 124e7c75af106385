"""This holds what several networks, and each seeing the mirrored image, say together."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfptx.network import heads
from tfptx.operating_point import rule
from tfptx.pipeline import geometry

Outputs = Any  # what a network gives: the mask's logits or, with other heads, all by name


def predictions(
    networks: Sequence[Callable[..., Outputs]],
    images: tf.Tensor,
    flip: bool,
    is_fused: bool = False,
) -> dict[str, tf.Tensor]:
    """The means of what the networks say, float32 within 0 and 1.

    - `probability`, N x S x S x 1. `is_fused` takes the mean of the mask's probability and of the
      other head's signed distance d as (1 + d) / 2.
    - `presence`, N, where the networks have that head: the probability that there is any mask.

    `networks` take `images`, float32 N x S x S x 1 in [0, 255], and `training`, and give logits or
    several heads' outputs. With `flip` what each network says of the left-right mirrored images,
    maps mirrored back, counts too.
    """
    maps, presences = [], []
    for network in networks:
        for is_mirrored in (False, True)[: 1 + flip]:
            outputs = network(tf.reverse(images, [2]) if is_mirrored else images, training=False)
            probability = _sigmoid(heads.mask(outputs))
            if is_fused:
                distance = tf.cast(outputs["distance"], tf.float32)
                probability = 0.5 * probability + 0.25 * (1 + distance)
            maps.append(tf.reverse(probability, [2]) if is_mirrored else probability)
            if isinstance(outputs, dict) and "presence" in outputs:
                presences.append(_sigmoid(outputs["presence"])[:, 0])
    found = {"probability": _mean(maps)}
    return found | {"presence": _mean(presences)} if presences else found


def of_image(
    probabilities: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor
) -> tf.Tensor:
    """The part of a square's probabilities, N x S x S x 1, that an image of this size took up."""
    content = geometry.content_size(rows, columns, probabilities.shape[1])
    return probabilities[:, : content[0], : content[1]]


def at_size(probabilities: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor) -> tf.Tensor:
    """An image's probabilities, float32 N x R x C x 1, resized bilinearly, half-pixel centres."""
    return tf.image.resize(probabilities, [rows, columns], tf.image.ResizeMethod.BILINEAR)


def levels(probability: tf.Tensor, rows: int, columns: int) -> NDArray[np.uint16]:
    """The levels of an image's map, float32 1 x R x C x 1, at a size: uint16 rows x columns."""
    return rule.levels(np.asarray(at_size(probability, rows, columns))[0, :, :, 0])


def _mean(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    # TensorFlow's optimiser may turn a quotient into this product, in one graph and not in another.
    return tf.add_n(parts) * np.float32(1 / len(parts))


def _sigmoid(logits: tf.Tensor) -> tf.Tensor:
    return tf.sigmoid(tf.cast(logits, tf.float32))
