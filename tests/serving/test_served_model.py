"""Every signature against the one of encoded images, which test_export holds to the maps."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.serving import bright_network
from tfptx.operating_point import rule
from tfptx.scans.codec import to_png
from tfptx.serving import layout, served_model

SIZE_PX = 64
PAIR = rule.pair(0.5, 300, SIZE_PX)
SPOT = to_png(bright_network.image())
DIM = to_png(bright_network.image(131))  # 0.587 of probability at the brightest
WRONG = b"no picture"
NO_EXAMPLE = b"error: no tf.Example with one image_bytes"
UNREAD = b"error: neither PNG nor JPEG by its first bytes"
SAME = ("mask_png_bytes", "probability", "pixel_count", "decision", "image_score", "error")


@pytest.fixture(scope="module")
def signatures():
    return served_model.build([bright_network.build()], PAIR, SIZE_PX, True, "one")[1]


@pytest.fixture(scope="module")
def expected(signatures):
    answer = signatures[layout.SIGNATURE](tf.constant([SPOT, WRONG, DIM]))
    assert list(answer["decision"].numpy()) == [True, False, True]
    return answer


def example(*contents):
    """A tf.Example of files, as bytes."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=contents))
    features = tf.train.Features(feature={layout.INPUT: feature})
    return tf.train.Example(features=features).SerializeToString()


def assert_same(answer, expected, names=SAME):
    for name in names:
        np.testing.assert_array_equal(answer[name], expected[name], name)


def test_masks_are_the_same_without_the_maps(signatures, expected):
    answer = signatures[layout.MASKS](tf.constant([SPOT, WRONG, DIM]))
    assert set(answer) == set(SAME) - {"probability"} | {"fingerprint"}
    assert_same(answer, expected, answer)
    assert list(answer["fingerprint"].numpy()) == [b"one"] * 3


def test_images_as_numbers_are_answered_as_files_are(signatures, expected):
    images = np.stack(
        [cv2.imdecode(np.frombuffer(each, np.uint8), 0) for each in (SPOT, SPOT, DIM)]
    )
    numbers = images[..., np.newaxis].astype(np.float32)
    numbers[0] += 0.3
    numbers[1, 5, 5] = np.nan
    answer = signatures[layout.IMAGES](tf.constant(numbers))
    assert_same(answer, expected, set(SAME) - {"error"})
    wrong = b"values are not within 0 and 255"
    assert list(answer["error"].numpy()) == [b"", wrong, b""]
    assert answer["mask"].shape == (3, 64, 96, 1)
    for mask, png in zip(answer["mask"], expected["mask_png_bytes"].numpy(), strict=True):
        decoded = cv2.imdecode(np.frombuffer(png, np.uint8), 0) if png else 0
        np.testing.assert_array_equal(mask[..., 0], np.broadcast_to(decoded, (64, 96)))
    for level in (-1, 255.01, np.inf):
        outside = np.full((1, 8, 8, 1), level, np.float32)
        assert signatures[layout.IMAGES](tf.constant(outside))["error"][0] == wrong


def test_a_request_may_bring_its_own_point(signatures, expected):
    files = tf.constant([SPOT, WRONG, DIM])
    ask = signatures[layout.WITH_POINT]
    assert_same(ask(files), expected)
    answer = ask(
        files,
        top_threshold=tf.constant([-1.0, 0.9, 0.9]),
        area_px=tf.constant([1], tf.int64),
    )
    assert list(answer["decision"].numpy()) == [True, False, False]
    assert list(answer["error"].numpy()) == list(expected["error"].numpy())
    pixels = np.count_nonzero(expected["probability"][2].numpy() >= 0.58)
    assert pixels > 0
    answer = ask(
        files,
        top_threshold=tf.constant([0.58]),
        bottom_threshold=tf.constant([0.5, 0.5, 0.6]),
        min_presence=tf.constant([0.0]),
    )
    assert answer["decision"][0]
    assert answer["error"][1] == expected["error"][1]
    assert answer["error"][2] == b"top_threshold is below bottom_threshold"
    assert answer["mask_png_bytes"][2] == b""
    assert not answer["decision"][2]


def test_scores_are_a_classification(signatures, expected):
    examples = [example(content) for content in (SPOT, WRONG, DIM)]
    examples.append(tf.train.Example().SerializeToString())
    answer = signatures[layout.SCORE](tf.constant(examples))
    first, _, third = expected["image_score"].numpy()
    np.testing.assert_array_equal(answer["scores"], np.float32([[first], [-1], [third], [-1]]))
    found = [b"pneumothorax", UNREAD, b"pneumothorax", NO_EXAMPLE]
    np.testing.assert_array_equal(answer["classes"], np.array(found, object)[:, np.newaxis])


def test_an_example_of_another_form_does_not_fail_its_batch(signatures, expected):
    numbers = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
    of_numbers = tf.train.Example(features=tf.train.Features(feature={layout.INPUT: numbers}))
    several = [example(SPOT, DIM), of_numbers.SerializeToString(), b"no example", example(DIM)]
    answer = signatures[layout.SCORE](tf.constant(several))
    last = expected["image_score"].numpy()[2]
    np.testing.assert_array_equal(answer["scores"][:, 0], np.float32([-1, -1, -1, last]))
    assert list(answer["classes"].numpy()[:, 0]) == [NO_EXAMPLE] * 3 + [b"pneumothorax"]


def test_numbers_that_are_not_finite_are_an_error_not_a_normal_image():
    network = bright_network.build()
    network.layers[-1].set_weights([np.full_like(each, np.nan) for each in network.get_weights()])
    broken = served_model.build([network], PAIR, SIZE_PX, False, "one")[1]
    reasons = [served_model.NOT_FINITE.encode(), b"neither PNG nor JPEG by its first bytes"]
    answer = broken[layout.SIGNATURE](tf.constant([SPOT, WRONG]))
    assert list(answer["error"].numpy()) == reasons
    assert all(not part for part in answer["mask_png_bytes"].numpy())
    for name in ("probability", "image_score", "pixel_count", "decision"):
        assert not answer[name].numpy().any()
    assert broken[layout.IMAGES](tf.zeros([1, 30, 40, 1]))["error"][0] == reasons[0]
    answer = broken[layout.SCORE](tf.constant([example(SPOT)]))
    assert answer["classes"][0, 0] == b"error: " + reasons[0]
    assert answer["scores"][0, 0] == served_model.NO_SCORE


def test_an_empty_batch_has_an_empty_answer(signatures):
    empty = {layout.IMAGES: tf.zeros([0, 30, 40, 1])}
    for name, ask in signatures.items():
        answer = ask(empty.get(name, tf.constant([], tf.string)))
        assert {values.shape[0] for values in answer.values()} == {0}


def test_a_compiled_network_answers_like_a_plain_one(expected):
    built = served_model.build([bright_network.build()], PAIR, SIZE_PX, True, "one", xla=True)
    answer = built[1][layout.SIGNATURE](tf.constant([SPOT, WRONG, DIM]))
    assert_same(answer, expected, ("mask_png_bytes", "pixel_count", "decision", "error"))
    np.testing.assert_allclose(answer["probability"], expected["probability"], atol=1e-6)
