"""This holds the reading of a batch of images inside a graph, each answering for itself.

It decodes as `tfptx.scans.image_files` does: grey that was saved in colour becomes grey by OpenCV's
integer weights, a picture in colour is an error, an alpha channel is dropped, and 16 bits become
the upper 8 of those that the image uses.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfptx.pipeline.examples import resize_image
from tfptx.scans import image_files
from tfptx.scans.image_headers import JPEG_START, PNG_START
from tfptx.scans.scan import MAX_PIXELS
from tfptx.serving import layout

STARTS = (JPEG_START, PNG_START)
RGB_WEIGHTS = (9798, 19235, 3735)  # 0.299, 0.587 and 0.114 in OpenCV's steps of 2**-15
WEIGHT_BITS = 15
WHITE = 255.0
PNG_DEPTH_PLACE = 24  # of the bits of a sample, in the header that every PNG begins with
PNG_DEEP = b"\x10"
PNG_SIZE_PLACE = 16  # of columns and rows there, four bytes each (PNG, 11.2.1)
# In place of the rows of an image that is not decoded, or not used.
COLOURFUL, TOO_LARGE = np.int64(-1), np.int64(-2)


class Decoded(NamedTuple):
    """A batch: images float32 N x S x S x 1 in [0, 255], rows and columns int64 N, errors string N.

    An image with an error is black and, where it was not decoded, has no rows and columns.
    """

    images: tf.Tensor
    rows: tf.Tensor
    columns: tf.Tensor
    errors: tf.Tensor


def decode_batch(image_bytes: tf.Tensor, size_px: int) -> Decoded:
    """Decode JPEG and PNG files, string N, of any sizes and resize them to one; N may be 0.

    What claims more than MAX_PIXELS has an error, and is not decoded.
    """
    num_images = tf.size(image_bytes, tf.int64)

    def read(
        index: tf.Tensor, content: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        # A file of some hundred kilobytes may claim gigabytes of pixels.
        is_too_large = _claimed_pixels(content) > MAX_PIXELS
        nothing = tf.zeros([1, 1, 1], tf.uint8)
        channels = tf.cond(is_too_large, lambda: nothing, lambda: _channels(content))
        rows, columns = tf.unstack(tf.shape(channels, tf.int64)[:2])
        rows = tf.where(_is_colourful(channels), COLOURFUL, rows)
        rows = tf.where(is_too_large, TOO_LARGE, rows)
        return index, resize_image(_grey(channels), size_px), rows, columns

    # An operation that fails ends its graph, but a dataset can leave the failing element out.
    files = tf.data.Dataset.from_tensor_slices(image_bytes).enumerate(start=1)
    known = files.filter(lambda _, content: _is_known(content))
    read_well = known.map(read, num_parallel_calls=tf.data.AUTOTUNE).ignore_errors()
    zero = tf.zeros([], tf.int64)
    leading = tf.data.Dataset.from_tensors((zero, tf.zeros([size_px, size_px, 1]), zero, zero))
    batch = leading.concatenate(read_well).batch(num_images + 1).get_single_element()
    places = batch[0][:, tf.newaxis]
    images, rows, columns = (
        tf.scatter_nd(places, part, tf.concat([[num_images + 1], tf.shape(part, tf.int64)[1:]], 0))
        for part in batch[1:]
    )
    rows, columns = rows[1:], columns[1:]
    is_well = rows > 0
    images = tf.ensure_shape(images[1:], [None, size_px, size_px, 1])
    images = tf.where(is_well[:, tf.newaxis, tf.newaxis, tf.newaxis], images, 0.0)
    reasons = tf.where(
        _is_known(image_bytes), "damaged or cut image", "neither PNG nor JPEG by its first bytes"
    )
    reasons = tf.where(rows == COLOURFUL, "a picture in colour, not a radiograph", reasons)
    reasons = tf.where(rows == TOO_LARGE, "its pixels are more than any detector's", reasons)
    rows, columns = (tf.where(is_well, each, 0) for each in (rows, columns))
    return Decoded(images, rows, columns, tf.where(is_well, "", reasons))


def of_examples(inputs: tf.Tensor) -> tf.Tensor:
    """The files, string N, in serialised tf.Examples, string N; empty where there is not just one.

    `layout.INPUT` is their feature. N may be 0.
    """
    features = {layout.INPUT: tf.io.VarLenFeature(tf.string)}

    def read(index: tf.Tensor, example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = tf.io.parse_single_example(example, features)[layout.INPUT].values
        return index, tf.cond(tf.size(found) == 1, lambda: found[0], lambda: tf.constant(""))

    num_examples = tf.size(inputs, tf.int64)
    numbered = tf.data.Dataset.from_tensor_slices(inputs).enumerate(start=1)
    leading = tf.data.Dataset.from_tensors((tf.zeros([], tf.int64), ""))
    read_well = leading.concatenate(numbered.map(read).ignore_errors())
    places, files = read_well.batch(num_examples + 1).get_single_element()
    nothing = tf.fill([num_examples + 1], "")
    return tf.tensor_scatter_nd_update(nothing, places[:, tf.newaxis], files)[1:]


def of_floats(images: tf.Tensor, size_px: int) -> Decoded:
    """Take images as they are, float32 N x H x W x 1 in [0, 255], rounded to whole grey levels.

    One with other values has an error and is black; it keeps its rows and columns. N may be 0.
    """
    # NaN fails both comparisons.
    is_level = (images >= 0) & (images <= WHITE)
    is_well = tf.reduce_all(is_level, axis=[1, 2, 3])
    levels = tf.where(is_well[:, tf.newaxis, tf.newaxis, tf.newaxis], tf.round(images), 0.0)
    resized = tf.map_fn(
        lambda image: resize_image(image, size_px),
        tf.cast(levels, tf.uint8),
        fn_output_signature=tf.TensorSpec([size_px, size_px, 1], tf.float32),
    )
    num_images, rows, columns, _ = tf.unstack(tf.shape(images, tf.int64))
    errors = tf.where(is_well, "", "values are not within 0 and 255")
    return Decoded(resized, tf.fill([num_images], rows), tf.fill([num_images], columns), errors)


def decode(content: tf.Tensor) -> tf.Tensor:
    """Decode one JPEG or PNG to uint8 rows x columns x 1.

    TensorFlow's default inverse DCT is off by up to 11 grey levels from every other decoder.
    """
    return _grey(_channels(content))


def _claimed_pixels(content: tf.Tensor) -> tf.Tensor:
    """Rows times columns by the header, int64; it fails as decoding does where that is cut."""

    def of_png() -> tf.Tensor:
        sides = tf.io.decode_raw(
            tf.strings.substr(content, PNG_SIZE_PLACE, 8), tf.int32, little_endian=False
        )
        return tf.reduce_prod(tf.cast(sides, tf.int64))

    def of_jpeg() -> tf.Tensor:
        return tf.reduce_prod(tf.image.extract_jpeg_shape(content, tf.int64)[:2])

    return tf.cond(tf.io.is_jpeg(content), of_jpeg, of_png)


def _channels(content: tf.Tensor) -> tf.Tensor:
    return tf.cond(
        tf.io.is_jpeg(content),
        lambda: tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE"),
        lambda: _png(content),
    )


def _is_colourful(image: tf.Tensor) -> tf.Tensor:
    def spread() -> tf.Tensor:
        colours = tf.cast(image[..., :3], tf.int32)
        return tf.reduce_max(tf.reduce_max(colours, -1) - tf.reduce_min(colours, -1))

    return tf.cond(tf.shape(image)[2] >= 3, spread, lambda: 0) > image_files.MOST_COLOUR


def _grey(image: tf.Tensor) -> tf.Tensor:
    grey = tf.cond(tf.shape(image)[2] >= 3, lambda: _grey_of_colour(image), lambda: image[..., :1])
    return tf.ensure_shape(grey, [None, None, 1])


def _png(content: tf.Tensor) -> tf.Tensor:
    is_deep = tf.strings.substr(content, PNG_DEPTH_PLACE, 1) == PNG_DEEP
    return tf.cond(is_deep, lambda: _of_deep_png(content), lambda: tf.io.decode_png(content))


def _of_deep_png(content: tf.Tensor) -> tf.Tensor:
    levels = tf.cast(tf.io.decode_png(content, dtype=tf.uint16), tf.int32)
    powers = tf.constant([2**bit for bit in range(16)])
    num_bits = tf.math.count_nonzero(tf.reduce_max(levels) >= powers, dtype=tf.int32)
    return tf.cast(tf.bitwise.right_shift(levels, tf.maximum(num_bits - 8, 0)), tf.uint8)


def _grey_of_colour(image: tf.Tensor) -> tf.Tensor:
    weighted = tf.cast(image[..., :3], tf.int32) * tf.constant(RGB_WEIGHTS)
    rounded = tf.reduce_sum(weighted, axis=-1, keepdims=True) + 2 ** (WEIGHT_BITS - 1)
    return tf.cast(tf.bitwise.right_shift(rounded, WEIGHT_BITS), tf.uint8)


def _is_known(image_bytes: tf.Tensor) -> tf.Tensor:
    # decode_png would read GIF and BMP too, which come from no radiograph.
    starts = (tf.strings.substr(image_bytes, 0, len(start)) == start for start in STARTS)
    return tf.logical_or(*starts)
