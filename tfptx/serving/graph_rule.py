"""This holds the rule inside a graph: `operating_point.rule.mask` in TensorFlow, bit for bit."""

from typing import NamedTuple

import tensorflow as tf

from tfptx.inference import ensemble
from tfptx.operating_point.rule import Rule

MASK_VALUE = 255
EXPORTED = -1  # in place of a number that is asked for


class Numbers(NamedTuple):
    """A rule's numbers, scalars or one an image: float32, and int64 for `area_px` and `size_px`."""

    top_threshold: tf.Tensor
    area_px: tf.Tensor
    bottom_threshold: tf.Tensor
    min_presence: tf.Tensor
    size_px: tf.Tensor


class Decided(NamedTuple):
    """What the rule makes of an image: the mask as a PNG, its pixels, the largest probability."""

    png: tf.Tensor
    pixel_count: tf.Tensor
    largest: tf.Tensor


OUTPUTS = Decided(
    tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
)


DTYPES = Numbers(tf.float32, tf.int64, tf.float32, tf.float32, tf.int64)


def variables(rule: Rule) -> Numbers:
    """The numbers of a rule as variables, which a module is to hold."""
    return Numbers(
        *(
            tf.Variable(getattr(rule, name), trainable=False, dtype=dtype)
            for name, dtype in DTYPES._asdict().items()
        )
    )


def at_source(probabilities: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The maps of images of one size, N x rows x columns x 1, from those of their squares."""
    of_images = ensemble.of_image(probabilities, rows, columns)
    return ensemble.at_size(of_images, tf.cast(rows, tf.int32), tf.cast(columns, tf.int32))


def masks(whole: tf.Tensor, decisions: tf.Tensor, numbers: Numbers) -> tf.Tensor:
    """The masks, uint8, of maps at the images' size and of what was decided on each, N."""
    pixels = (whole >= numbers.bottom_threshold) & tf.reshape(decisions, [-1, 1, 1, 1])
    return tf.cast(pixels, tf.uint8) * tf.constant(MASK_VALUE, tf.uint8)


def decide(
    probability: tf.Tensor,
    presence: tf.Tensor,
    rows: tf.Tensor,
    columns: tf.Tensor,
    numbers: Numbers,
) -> Decided:
    """Decide on one image of rows x columns, int64, by the map of its square and its presence."""
    whole = at_source(probability[tf.newaxis], rows, columns)
    sure = tf.math.count_nonzero(whole >= numbers.top_threshold)
    # The least whole number of at least area_px * rows * columns / size_px**2.
    needed = -(-numbers.area_px * rows * columns // numbers.size_px**2)
    is_any = (sure >= needed) & (presence >= numbers.min_presence)
    mask = masks(whole, is_any, numbers)[0]
    count = tf.math.count_nonzero(mask, dtype=tf.int32)
    return Decided(tf.io.encode_png(mask), count, tf.reduce_max(whole))


def nothing() -> Decided:
    """What an image without an answer has."""
    return Decided(tf.constant(b""), tf.constant(0), tf.constant(0.0))


def for_each(asked: Numbers, exported: Numbers, num_images: tf.Tensor) -> Numbers:
    """The numbers for each of N images: those asked, N or one for all, or for EXPORTED those."""

    def one(wanted: tf.Tensor, standing: tf.Tensor) -> tf.Tensor:
        wide = tf.broadcast_to(wanted, [num_images])
        return tf.where(wide == EXPORTED, standing, wide)

    return Numbers(*map(one, asked, exported))


def errors(numbers: Numbers, has_presence: bool) -> tf.Tensor:
    """Why numbers, N of each, are no rule: string N, empty where they are."""
    top, bottom = numbers.top_threshold, numbers.bottom_threshold
    # NaN fails each comparison, so it is refused too.
    is_probability = (top >= 0) & (top <= 1) & (bottom >= 0) & (bottom <= 1)
    is_presence = (numbers.min_presence >= 0) & (numbers.min_presence <= 1)
    is_size = (numbers.area_px >= 0) & (numbers.size_px >= 1)
    checks = [
        (is_probability & is_presence, "a threshold or min_presence is not within 0 and 1"),
        (top >= bottom, "top_threshold is below bottom_threshold"),
        (is_size, "area_px is below 0 or size_px below 1"),
    ]
    if not has_presence:
        lacks = "the networks have no head for min_presence"
        checks.append((tf.equal(numbers.min_presence, 0), lacks))
    found = tf.fill(tf.shape(top), "")
    for is_well, reason in checks:
        found = tf.where((found == "") & ~is_well, reason, found)
    return found
