import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfptx.inference import windows

SIZE_PX = 32


@given(st.integers(0, 300), st.integers(32, 64), st.floats(0, 0.9))
def test_windows_reach_from_end_to_end_and_overlap_enough(more, size_px, overlap):
    side_px = size_px + more
    found = windows.starts(side_px, size_px, overlap)
    assert found[0] == 0
    assert found[-1] + size_px == side_px
    gaps = np.diff(found)
    assert (gaps > 0).all()
    assert (gaps <= size_px * (1 - overlap) + 1).all()
    # One window fewer would not do.
    if len(found) > 1:
        assert (len(found) - 2) * size_px * (1 - overlap) < side_px - size_px


@pytest.mark.parametrize("shape", [(32, 32), (70, 33), (100, 100), (20, 90)])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_network_that_looks_at_single_pixels_gives_the_whole_images_map(shape, batch_size):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    seen = []

    def predict(images):
        seen.append(images.shape)
        return images / np.float32(255)

    found = windows.probability(predict, image, SIZE_PX, 0.5, batch_size)
    np.testing.assert_allclose(found, image / 255, atol=1e-6)
    assert all(shape[0] <= batch_size and shape[1:] == (32, 32, 1) for shape in seen)
    assert found.dtype == np.float32
    assert found.max() <= 1


def test_a_pixel_is_the_mean_of_its_windows_weighed_towards_their_centres():
    """By hand: a window says its own number; 48 columns are two windows of 32, 16 apart."""
    count = iter([0.0, 1.0])

    def predict(images):
        return np.stack([np.full((32, 32, 1), next(count), np.float32) for _ in images])

    found = windows.probability(predict, np.zeros((32, 48), np.uint8), SIZE_PX, 0.5, 4)
    wave = np.sin(np.pi * (np.arange(32) + 0.5) / 32) ** 2
    expected = wave[:16] / (wave[:16] + wave[16:])
    np.testing.assert_allclose(found[7, 16:32], expected, rtol=1e-5)
    assert (found[:, :16] == 0).all()
    assert (found[:, 32:] == 1).all()
