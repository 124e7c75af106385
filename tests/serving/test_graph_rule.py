import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx.inference import ensemble
from tfptx.operating_point import rule
from tfptx.serving import graph_rule

SIZE_PX = 16


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    rows=st.sampled_from([SIZE_PX, 7, 40]),
    columns=st.sampled_from([SIZE_PX, 33]),
    threshold=st.sampled_from([0.0, 0.35, 0.55, 0.7, 1.0]),
    below=st.sampled_from([0.0, 0.1, 0.3]),
    size_px=st.sampled_from([SIZE_PX, 61, 1024]),
    off_by=st.integers(-1, 1),
    presence=st.sampled_from([0.0, 0.4, 1.0]),
    least=st.sampled_from([0.0, 0.4, 0.4001]),
)
def test_the_graph_decides_as_the_rule_does(
    seed, rows, columns, threshold, below, size_px, off_by, presence, least
):
    # Twentieths, so that at the network's own size pixels lie exactly on the threshold.
    twentieths = np.random.default_rng(seed).integers(0, 21, (SIZE_PX, SIZE_PX, 1))
    probability = (twentieths / 20).astype(np.float32)
    of_image = ensemble.of_image(probability[np.newaxis], rows, columns)
    at_source = ensemble.at_size(of_image, rows, columns)[0, ..., 0].numpy()
    # The smallest area that leaves the mask, and its neighbours.
    count = int((at_source >= np.float32(threshold)).sum())
    area_px = max(0, count * size_px**2 // (rows * columns) + off_by)
    bottom = round(max(0.0, threshold - below), 4)
    decided = rule.Rule(threshold, area_px, bottom, size_px, min_presence=least)
    presence = np.float32(presence)
    expected = rule.mask(at_source, decided, presence)
    numbers = graph_rule.variables(decided)
    sides = tf.constant([rows, columns], tf.int64)
    made = graph_rule.decide(
        tf.constant(probability), tf.constant(presence), *tf.unstack(sides), numbers
    )
    png = np.frombuffer(made.png.numpy(), np.uint8)
    mask = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask > 0, expected)
    whole = graph_rule.at_source(tf.constant(probability[np.newaxis]), *tf.unstack(sides))
    np.testing.assert_array_equal(
        graph_rule.masks(whole, made.pixel_count > 0, numbers)[0, ..., 0], mask
    )
    assert made.pixel_count == expected.sum()
    assert made.largest == at_source.max()


def test_numbers_that_are_asked_for_stand_in_place_of_the_exported():
    exported = graph_rule.variables(rule.Rule(0.7, 100, 0.3, 64, min_presence=0.2))
    asked = graph_rule.Numbers(
        tf.constant([0.8, -1.0, 0.2]),
        tf.constant([-1], tf.int64),
        tf.constant([-1.0, 0.5, -1.0]),
        tf.constant([-1.0]),
        tf.constant([32], tf.int64),
    )
    found = graph_rule.for_each(asked, exported, tf.constant(3))
    expected = ([0.8, 0.7, 0.2], [100] * 3, [0.3, 0.5, 0.3], [0.2] * 3, [32] * 3)
    for numbers, values in zip(found, expected, strict=True):
        np.testing.assert_array_equal(numbers, np.array(values, numbers.dtype.as_numpy_dtype))
    lacking = b"the networks have no head for min_presence"
    below = b"top_threshold is below bottom_threshold"
    assert list(graph_rule.errors(found, has_presence=True).numpy()) == [b"", b"", below]
    assert list(graph_rule.errors(found, has_presence=False).numpy()) == [lacking, lacking, below]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("top_threshold", 1.5, "not within 0 and 1"),
        ("top_threshold", np.nan, "not within 0 and 1"),
        ("bottom_threshold", -0.5, "not within 0 and 1"),
        ("min_presence", np.nan, "not within 0 and 1"),
        ("area_px", -2, "area_px is below 0"),
        ("size_px", 0, "size_px below 1"),
    ],
)
def test_numbers_that_are_no_rule_are_errors(name, value, message):
    numbers = graph_rule.variables(rule.pair(0.5, 10, 64))
    wide = graph_rule.Numbers(*(tf.broadcast_to(each, [2]) for each in numbers))
    assert set(graph_rule.errors(wide, has_presence=True).numpy()) == {b""}
    changed = tf.constant([getattr(wide, name)[0].numpy(), value], getattr(wide, name).dtype)
    first, second = graph_rule.errors(wide._replace(**{name: changed}), has_presence=True).numpy()
    assert first == b""
    assert message in second.decode()
