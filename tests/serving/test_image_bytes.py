import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfptx.pipeline.examples import resize_image
from tfptx.scans import image_files
from tfptx.scans.scan import pixels
from tfptx.serving import image_bytes

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (40, 50), np.uint8)
# Grey that was saved in colour: a picture in colour is no radiograph.
GRADIENT = np.tile(np.linspace(10, 220, 50).astype(np.uint8)[:, np.newaxis], (40, 1, 3))
COLOUR = GRADIENT + RANDOM.integers(0, 9, (40, 50, 3), np.uint8)


def encoded(suffix, image, *options):
    return cv2.imencode(suffix, image, *options)[1].tobytes()


def palette_png(path):
    Image.fromarray(COLOUR).quantize(16).save(path)
    return path.read_bytes()


def bilevel_png(path):
    Image.fromarray(GREY > 127).save(path)
    return path.read_bytes()


def grey_alpha_png(path):
    Image.fromarray(np.stack([GREY, GREY[::-1]], -1), "LA").save(path)
    return path.read_bytes()


FILES = {
    "grey.png": encoded(".png", GREY),
    "grey.jpg": encoded(".jpg", GREY),
    "colour.png": encoded(".png", COLOUR),
    "colour.jpg": encoded(".jpg", COLOUR),
    "progressive.jpg": encoded(".jpg", COLOUR, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "alpha.png": encoded(".png", np.dstack([COLOUR, GREY])),
    "deep.png": encoded(".png", RANDOM.integers(0, 2**16, (40, 50), np.uint16)),
    "twelve_bits.png": encoded(".png", RANDOM.integers(0, 2**12, (40, 50), np.uint16)),
    "five_bits.png": encoded(".png", RANDOM.integers(0, 2**5, (40, 50), np.uint16)),
    "deep_colour.png": encoded(".png", COLOUR.astype(np.uint16) * 256),
    "grey_alpha.png": grey_alpha_png,
    "palette.png": palette_png,
    "bilevel.png": bilevel_png,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_decodes_to_the_pixels_that_a_scan_of_it_has(name, tmp_path):
    content = FILES[name]
    if callable(content):
        content = content(tmp_path / name)
    (tmp_path / name).write_bytes(content)
    expected = pixels(image_files.read(tmp_path / name))
    np.testing.assert_array_equal(image_bytes.decode(tf.constant(content))[..., 0], expected)


def test_an_image_that_can_not_be_decoded_answers_for_itself():
    decode = tf.function(
        lambda files: image_bytes.decode_batch(files, 64),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    wide = encoded(".jpg", np.tile(GREY, (1, 3)))
    bmp = encoded(".bmp", GREY)
    contents = [b"", FILES["grey.png"], wide[: len(wide) // 2], bmp, wide, FILES["grey.png"][:99]]
    decoded = decode(tf.constant(contents))
    assert [text.decode() for text in decoded.errors.numpy()] == [
        "neither PNG nor JPEG by its first bytes",
        "",
        "damaged or cut image",
        "neither PNG nor JPEG by its first bytes",
        "",
        "damaged or cut image",
    ]
    np.testing.assert_array_equal(decoded.rows, [0, 40, 0, 0, 40, 0])
    np.testing.assert_array_equal(decoded.columns, [0, 50, 0, 0, 150, 0])
    assert not decoded.images.numpy()[[0, 2, 3, 5]].any()
    for place in (1, 4):
        expected = resize_image(image_bytes.decode(tf.constant(contents[place])), 64)
        np.testing.assert_array_equal(decoded.images[place], expected)
        assert decoded.images[place].numpy().std() > 10


def test_an_empty_batch_decodes_to_one():
    decoded = image_bytes.decode_batch(tf.constant([], tf.string), 64)
    assert [tuple(part.shape) for part in decoded] == [(0, 64, 64, 1), (0,), (0,), (0,)]


def test_a_picture_in_colour_is_an_error_as_it_is_of_a_scan(tmp_path):
    colourful = COLOUR.copy()
    colourful[3, 4] = (0, 0, 33)
    edge = COLOUR.copy()
    edge[3, 4] = (0, 0, 32)
    contents = [encoded(".png", each) for each in (colourful, edge)]
    decoded = image_bytes.decode_batch(tf.constant(contents), 64)
    reason = "a picture in colour, not a radiograph"
    assert [text.decode() for text in decoded.errors.numpy()] == [reason, ""]
    np.testing.assert_array_equal(decoded.rows, [0, 40])
    np.testing.assert_array_equal(decoded.columns, [0, 50])
    assert not decoded.images[0].numpy().any()
    (tmp_path / "colourful.png").write_bytes(contents[0])
    (tmp_path / "edge.png").write_bytes(contents[1])
    with pytest.raises(ValueError, match=reason):
        image_files.read(tmp_path / "colourful.png")
    image_files.read(tmp_path / "edge.png")
