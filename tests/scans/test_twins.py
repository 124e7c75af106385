import dataclasses

import cv2
import numpy as np
import pytest

from tfptx.scans import image_headers, samples, twins
from tfptx.scans import scan as scans
from tfptx.scans.scan import Scan

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 16, (40, 30)).astype(np.uint8)
OTHER = RANDOM.integers(0, 256, (40, 30)).astype(np.uint8)


def _png(image, compression=1):
    content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, compression])[1].tobytes()
    return Scan("", content, "png", *image.shape, sample=samples.of_pixels(image))


def _jpeg(image):
    content = cv2.imencode(".jpg", image)[1].tobytes()
    sample = samples.of_jpeg(content, image_headers.jpeg(content))
    return Scan("", content, "jpeg", *image.shape, sample=sample)


@pytest.fixture
def find(monkeypatch):
    """Finds twins; gives also at which positions it looked, and what it decoded."""

    def found(written):
        looked_at, decoded = set(), []

        def scan_of(position):
            looked_at.add(position)
            return written[position]

        def pixels(scan):
            decoded.append(scan.image)
            return scans.pixels(scan)

        monkeypatch.setattr(twins, "pixels", pixels)
        return twins.find([each.sample for each in written], scan_of), looked_at, decoded

    return found


def test_only_equal_images_are_twins_and_only_likely_ones_are_compared(find):
    nearly = IMAGE.copy()
    nearly[1, 1] ^= 1  # between the pixels of the sample
    written = [_png(each) for each in (IMAGE, OTHER, nearly, IMAGE)]
    written += [_png(IMAGE, compression=9), _png(IMAGE)]
    assert written[4].image != written[0].image
    first_of, looked_at, decoded = find(written)
    assert first_of == [0, 1, 2, 0, 0, 0]
    assert looked_at == {0, 2, 3, 4, 5}
    assert decoded == [written[at].image for at in (0, 2, 4)]


@pytest.mark.parametrize("write", [_png, _jpeg])
def test_copies_byte_by_byte_are_not_decoded(find, write):
    assert find([write(each) for each in (OTHER, IMAGE, IMAGE)]) == ([0, 1, 1], {1, 2}, [])


def test_a_jpeg_and_a_png_of_its_pixels_are_twins(find):
    jpegs = [_jpeg(IMAGE), _jpeg(OTHER), _jpeg(OTHER[:32])]
    first_of, looked_at, _ = find([*jpegs, _png(scans.pixels(jpegs[1]))])
    assert first_of == [0, 1, 2, 1]
    assert 2 not in looked_at, "no PNG has its size"


def test_jpegs_of_other_bytes_and_equal_pixels_are_twins(find):
    one = _jpeg(IMAGE)
    comment = b"\xff\xfe\x00\x04no"  # a segment that tells nothing of the pixels
    other = dataclasses.replace(one, image=one.image[:2] + comment + one.image[2:])
    assert find([one, other])[0] == [0, 0]
