import cv2
import numpy as np
import pytest

from tfptx.scans import codec

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (96, 80), np.uint8), (7, 7), 3)
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()
SCAN = JPEG.index(b"\xff\xda") + 12
MIDDLE = (SCAN + len(JPEG)) // 2


def test_the_means_of_blocks_are_those_of_the_pixels():
    expected = cv2.resize(codec.decode(JPEG), (10, 12), interpolation=cv2.INTER_AREA)
    assert np.abs(codec.block_means(JPEG).astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    "damaged",
    [
        JPEG[:MIDDLE] + b"\xff\xd9",
        JPEG[:MIDDLE] + bytes(100) + JPEG[MIDDLE + 100 :],
        JPEG[:MIDDLE] + JPEG[MIDDLE + 200 :],
        JPEG[: SCAN // 2],
        b"",
    ],
)
def test_a_scan_that_is_cut_or_damaged_is_refused(damaged):
    with pytest.raises(ValueError, match=r"."):
        codec.block_means(damaged)


def test_pixels_survive_the_way_through_png():
    np.testing.assert_array_equal(codec.decode(codec.to_png(IMAGE)), IMAGE)


@pytest.mark.parametrize("content", [b"", b"no picture", JPEG[:100]])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(ValueError, match="damaged"):
        codec.decode(content)
