"""This holds the served graph: encoded images in, masks and findings out."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfptx.inference import ensemble
from tfptx.operating_point.rule import Rule
from tfptx.serving import image_bytes as images_in
from tfptx.serving import layout

MASK_VALUE = 255


def build(
    networks: Sequence[keras.Model], rule: Rule, size_px: int, flip: bool, is_fused: bool = False
) -> tuple[tf.Module, tf.types.experimental.PolymorphicFunction]:
    """A module that holds the variables, and its function from string N to what is served.

    The function's outputs, for N images, 0 included, of S = `size_px`:
    - `mask_png_bytes`, string N: the mask as a PNG of 0 and 255 in the image's own size;
    - `probability`, float32 N x S x S x 1, the mean of the networks and flips, and of the signed
      distance where `is_fused`;
    - `presence`, float32 N, where the networks have that head: the probability of any mask;
    - `pixel_count`, int32 N: the pixels of the mask; `decision`, bool N: whether there are any;
    - `image_score`, float32 N: the largest probability of the map in the image's own size;
    - `error`, string N: empty, or why this image was not decoded. It then has an empty mask of no
      bytes, and zeros.

    Maps and rule are those of `predict_maps` and `rule`, bit for bit in batches of a like size. At
    another one TensorFlow may choose other kernels: SE-ResNeXt-50's maps at batch 1 and 4 fell on
    two sides of a threshold at 6 of 8 million pixels.
    """
    module = tf.Module()
    # A Keras model tracked here would be saved with a second set of variables, of which the C++
    # loaders find but one; so only TensorFlow's own variables are.
    module.weights = [variable.value for network in networks for variable in network.variables]
    module.top_threshold = tf.Variable(rule.top_threshold, trainable=False, dtype=tf.float32)
    module.area_px = tf.Variable(rule.area_px, trainable=False, dtype=tf.int64)
    module.bottom_threshold = tf.Variable(rule.bottom_threshold, trainable=False, dtype=tf.float32)
    module.min_presence = tf.Variable(rule.min_presence, trainable=False, dtype=tf.float32)
    module.size_px = tf.Variable(rule.size_px, trainable=False, dtype=tf.int64)

    def decide(arguments: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        probability, presence, rows, columns = arguments
        return _decide(probability, presence, rows, columns, module)

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        images, rows, columns, errors = images_in.decode_batch(image_bytes, size_px)
        is_well = errors == ""
        # No network takes a batch of none, so that one is given an image which is cut off again.
        padding = tf.zeros(
            [tf.cast(tf.equal(tf.size(image_bytes), 0), tf.int32), size_px, size_px, 1]
        )
        padded = tf.concat([images, padding], 0)
        said = {
            name: values[: tf.size(image_bytes)]
            for name, values in ensemble.predictions(networks, padded, flip, is_fused).items()
        }
        is_well_px = is_well[:, tf.newaxis, tf.newaxis, tf.newaxis]
        probabilities = tf.where(is_well_px, said.pop("probability"), 0.0)
        said = {name: tf.where(is_well, values, 0.0) for name, values in said.items()}
        presences = said.get("presence", tf.ones_like(is_well, tf.float32))
        masks, counts, scores = tf.map_fn(
            decide,
            (probabilities, presences, rows, columns),
            fn_output_signature=(
                tf.TensorSpec([], tf.string),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([], tf.float32),
            ),
        )
        return {
            "mask_png_bytes": masks,
            "probability": probabilities,
            **said,
            "pixel_count": counts,
            "decision": counts > 0,
            "image_score": scores,
            "error": errors,
        }

    return module, tf.function(
        serve, input_signature=[tf.TensorSpec([None], tf.string, layout.INPUT)]
    )


def _decide(
    probability: tf.Tensor,
    presence: tf.Tensor,
    rows: tf.Tensor,
    columns: tf.Tensor,
    point: tf.Module,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The mask's PNG, its pixels and the largest probability of one map, S x S x 1.

    Equal to `rule.mask` of the map at rows x columns and of the presence, a scalar; an image
    without rows has an empty answer.
    """

    def answer() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        whole = tf.cast(tf.stack([rows, columns]), tf.int32)
        of_image = ensemble.of_image(probability[tf.newaxis], rows, columns)
        at_source = ensemble.at_size(of_image, whole[0], whole[1])[0]
        sure = tf.math.count_nonzero(at_source >= point.top_threshold)
        # The least whole number of at least area_px * rows * columns / size_px**2.
        needed = -(-point.area_px * rows * columns // point.size_px**2)
        is_any = (sure >= needed) & (presence >= point.min_presence)
        pixels = (at_source >= point.bottom_threshold) & is_any
        mask = tf.cast(pixels, tf.uint8) * tf.constant(MASK_VALUE, tf.uint8)
        count = tf.math.count_nonzero(pixels, dtype=tf.int32)
        return tf.io.encode_png(mask), count, tf.reduce_max(at_source)

    nothing = (tf.constant(b""), tf.constant(0), tf.constant(0.0))
    mask, count, score = tf.cond(rows > 0, answer, lambda: nothing)
    return mask, count, score
