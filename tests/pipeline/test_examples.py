from fractions import Fraction

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.pipeline.make_records import build_records
from tfptx.pipeline import examples
from tfptx.records import manifest, schema


def content(shape, size_px):
    """Of a square the rows and columns of what keeps its shape, by exact fractions."""
    return [max(1, int(Fraction(size_px * side, max(shape)) + Fraction(1, 2))) for side in shape]


def resized_by_opencv(image, size_px, interpolation=cv2.INTER_AREA):
    """In the upper left corner of a black square, the longer side from end to end."""
    rows, columns = content(image.shape[:2], size_px)
    square = np.zeros((size_px, size_px), image.dtype)
    square[:rows, :columns] = cv2.resize(image, (columns, rows), interpolation=interpolation)
    return square


def both_ways(function, array, size_px):
    """What a resize gives eagerly, checked to be the same inside `Dataset.map`."""
    eager = function(tf.constant(array), size_px)
    dataset = tf.data.Dataset.from_tensors(array).map(lambda content: function(content, size_px))
    (mapped,) = dataset
    np.testing.assert_array_equal(mapped, eager)
    assert dataset.element_spec == tf.TensorSpec((size_px, size_px, 1), tf.uint8)
    return eager.numpy().astype(np.float32)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (96, 96, 1), np.uint8)


def test_one_half_equals_opencv_exactly(image):
    found = both_ways(examples.resize, image, 48)
    np.testing.assert_array_equal(found[..., 0], resized_by_opencv(image, 48))


@pytest.mark.parametrize("size_px", [32, 64, 40])
@pytest.mark.parametrize("shape", [(96, 96), (100, 128), (131, 97)])
def test_shrinking_equals_opencv_to_rounding(shape, size_px):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 1), np.uint8)
    found = both_ways(examples.resize, image, size_px)
    # OpenCV rounds to fixed point on its way.
    assert np.abs(found[..., 0] - resized_by_opencv(image, size_px)).max() <= 1


@pytest.mark.parametrize("shape", [(20, 20), (31, 17)])
def test_growing_interpolates_as_opencv_does(shape):
    image = np.random.default_rng(2).integers(0, 256, (*shape, 1), np.uint8)
    found = both_ways(examples.resize, image, 64)
    expected = resized_by_opencv(image.astype(np.float32), 64, cv2.INTER_LINEAR)
    assert np.abs(found[..., 0] - expected).max() <= 0.51


def test_the_own_size_changes_nothing(image):
    np.testing.assert_array_equal(both_ways(examples.resize, image, 96), image)


@pytest.mark.parametrize(("shape", "rows", "columns"), [((64, 48), 32, 24), ((5, 500), 1, 32)])
def test_an_image_keeps_its_shape_and_the_rest_is_black(shape, rows, columns):
    found = both_ways(examples.resize, np.full((*shape, 1), 9, np.uint8), 32)
    assert (found[:rows, :columns] == 9).all()
    assert found.sum() == 9 * rows * columns


def test_a_mask_takes_the_part_that_its_image_takes():
    """A square mask of an image that is twice as wide as high, as other tools stretch it."""
    mask = np.zeros((64, 64, 1), np.uint8)
    mask[:32, 32:] = 1
    found = examples.resize(tf.constant(mask), 32, (tf.constant(100), tf.constant(200)))
    expected = np.zeros((32, 32))
    expected[:8, 16:] = 1
    np.testing.assert_array_equal(found[..., 0], expected)


def test_float_images_have_whole_levels(image):
    found = examples.resize_image(tf.constant(image), 56)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, examples.resize(tf.constant(image), 56))


def test_a_mask_pixel_is_set_where_at_least_half_is():
    mask = np.zeros((64, 64, 1), np.uint8)
    mask[0, 0] = mask[2, 2:4] = mask[4:6, 4] = mask[5, 5] = 1
    found = both_ways(examples.resize, mask, 32)
    assert {tuple(place) for place in np.argwhere(found[..., 0] == 1)} == {(1, 1), (2, 2)}
    assert set(np.unique(found)) == {0, 1}


@pytest.mark.parametrize(("shape", "size_px"), [((96, 96), 32), ((50, 70), 64), ((31, 40), 96)])
def test_a_mask_keeps_its_share_of_the_image(shape, size_px):
    mask = np.zeros((*shape, 1), np.uint8)
    mask[shape[0] // 4 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = 1
    found = both_ways(examples.resize, mask, size_px)
    assert set(np.unique(found)) == {0, 1}
    rows, columns = content(shape, size_px)
    assert not found[rows:].any()
    assert not found[:, columns:].any()
    assert abs(found[:rows, :columns].mean() - mask.mean()) < 0.03


def test_places_hold_what_reading_in_order_gives(tmp_path):
    records = build_records(tmp_path, num_positives=4, num_negatives=7)
    shards = list(manifest.read(records).shards)[::-1]
    places = examples.locate(records, shards)
    in_order = list(examples.read(records, shards))
    assert len(places) == len(in_order) == 11
    for place, example in zip(places, in_order, strict=True):
        parsed = schema.parse(tf.constant(place.read()))
        assert parsed["image_id"] == example["image_id"]
        assert parsed["image"] == example["image"]
        assert (place.kind == "positive") == (tf.size(example["mask_starts"]) > 0)


@pytest.mark.parametrize("cut_bytes", [1, 30])
def test_a_cut_shard_is_refused(tmp_path, cut_bytes):
    records = build_records(tmp_path, num_positives=4, num_negatives=4)
    shard = manifest.read(records).shards[0]
    path = records / shard.file
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    with pytest.raises(ValueError, match=r"does not hold the \d examples.*verify-records"):
        examples.locate(records, [shard])
