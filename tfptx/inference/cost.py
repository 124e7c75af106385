"""This holds the cost of a network: its floating-point operations."""

import keras
import tensorflow as tf

from tfptx.network import grouped_conv


def flops(network: keras.Model, size_px: int) -> int:
    """Count the operations on one image of `size_px` squared, a multiplication and a sum being two.

    As TensorFlow's profiler has them for the graph of a prediction. Group convolutions count in
    their own form, on a CPU too, where others compute zeros beside them.
    """
    profiler = tf.compat.v1.profiler
    function = tf.function(lambda images: network(images, training=False))
    with grouped_conv.as_one_operation():
        graph = function.get_concrete_function(tf.TensorSpec([1, size_px, size_px, 1])).graph
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph, options=options.with_empty_output().build())
    return int(counted.total_float_ops)
