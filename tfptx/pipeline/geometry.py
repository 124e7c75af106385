"""This holds the geometry between an image and the square that a network sees of it.

The image is scaled until its longer side fits, so that it keeps its shape, and stands in the upper
left corner; what is left of the square is black.
"""

import tensorflow as tf


def content_size(rows: int | tf.Tensor, columns: int | tf.Tensor, size_px: int) -> tf.Tensor:
    """The rows and columns, int32 2, that an image takes of a square of `size_px`, at least 1."""
    sides = tf.cast(tf.stack([rows, columns]), tf.int64)
    longest = tf.reduce_max(sides)
    # Rounded in whole numbers: every graph must find the same pixels.
    scaled = (2 * size_px * sides + longest) // (2 * longest)
    return tf.cast(tf.maximum(scaled, 1), tf.int32)
