import cv2
import numpy as np
import pytest

from tfptx.operating_point import preview


@pytest.mark.parametrize(
    ("shape", "small"), [((1024, 512), (256, 128)), ((40, 30), (40, 30)), ((3000, 2), (256, 1))]
)
def test_the_longer_side_of_a_large_image_becomes_256_px(shape, small):
    encoded = np.frombuffer(preview.jpeg(np.full(shape, 99, np.uint8)), np.uint8)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    assert decoded.shape == small
    assert abs(decoded.mean() - 99) < 2
