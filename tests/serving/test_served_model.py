from types import SimpleNamespace

import cv2
import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx.inference import ensemble
from tfptx.operating_point import rule
from tfptx.serving import served_model

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
    point = SimpleNamespace(
        top_threshold=tf.constant(threshold, tf.float32),
        area_px=tf.constant(area_px, tf.int64),
        bottom_threshold=tf.constant(bottom, tf.float32),
        min_presence=tf.constant(least, tf.float32),
        size_px=tf.constant(size_px, tf.int64),
    )
    sides = tf.constant([rows, columns], tf.int64)
    png, kept, score = served_model._decide(
        tf.constant(probability), tf.constant(presence), *tf.unstack(sides), point
    )
    mask = cv2.imdecode(np.frombuffer(png.numpy(), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask > 0, expected)
    assert kept == expected.sum()
    assert score == at_source.max()
