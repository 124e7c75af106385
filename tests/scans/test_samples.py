import cv2
import numpy as np

from tfptx.scans import codec, image_headers, samples

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (70, 53), np.uint8), (5, 5), 2)
CONTENT = cv2.imencode(".jpg", IMAGE)[1].tobytes()


def _of_jpeg(content):
    return samples.of_jpeg(content, image_headers.jpeg(content))


def test_images_of_other_sizes_have_other_samples():
    images = [np.zeros((40, 30), np.uint8), np.zeros((39, 30), np.uint8)]
    assert samples.of_pixels(images[0]) != samples.of_pixels(images[1])


def test_a_sample_tells_size_and_kind():
    drawn, read = samples.of_pixels(IMAGE), _of_jpeg(CONTENT)
    assert [samples.size_of(each) for each in (drawn, read)] == ["70x53", "70x53"]
    assert [samples.kind_of(each) for each in (drawn, read)] == [samples.PIXELS, samples.BLOCKS]


def test_jpegs_of_one_changed_block_have_other_samples():
    changed = IMAGE.copy()
    changed[8:16, 8:16] = 255 - changed[8:16, 8:16]
    assert _of_jpeg(cv2.imencode(".jpg", changed)[1].tobytes()) != _of_jpeg(CONTENT)


def test_reading_the_blocks_finds_all_the_damage_that_reading_the_pixels_finds():
    random = np.random.default_rng(1)
    outcomes = set()
    for _ in range(3000):
        content = bytearray(CONTENT)
        for at in random.integers(2, len(content), random.integers(1, 4)):
            content[at] = random.integers(256)
        try:
            header = image_headers.jpeg(bytes(content))
        except ValueError:
            continue
        found = _succeeds(samples.of_jpeg, bytes(content), header)
        assert found <= _succeeds(codec.decode, bytes(content))
        outcomes.add(found)
    assert outcomes == {True, False}


def _succeeds(function, *arguments):
    try:
        function(*arguments)
    except ValueError:
        return False
    return True
