import numpy as np
import pytest

from tfptx.scans.phantom.canvas import Canvas

WHOLE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
SQUARE = np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.5), (0.25, 0.5)])


def test_a_filled_square_covers_its_share():
    layer = Canvas(256, WHOLE).filled([SQUARE])
    assert layer.mean() / 255 == pytest.approx(0.125, abs=0.005)
    assert (layer[70:120, 70:185] == 255).all()
    assert not layer[140:].any()


def test_the_placement_moves_what_is_drawn():
    shifted = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.25]])
    moved = Canvas(256, shifted).filled([SQUARE])
    np.testing.assert_array_equal(moved[64:], Canvas(256, WHOLE).filled([SQUARE])[:-64])


def test_a_line_thinner_than_a_pixel_is_fainter_not_absent():
    line = np.array([(0.1, 0.5), (0.9, 0.5)])
    canvas = Canvas(100, WHOLE)
    whole = canvas.stroked([line], 0.01).max()
    assert canvas.stroked([line], 0.005).max() == pytest.approx(whole / 2, abs=2)


@pytest.mark.parametrize("softness", [0.005, 0.012, 0.03, 0.1])
def test_a_blur_on_a_coarser_grid_equals_the_whole_one(softness):
    canvas = Canvas(256, WHOLE)
    half = np.array([(-0.1, -0.1), (0.5, -0.1), (0.5, 1.1), (-0.1, 1.1)])
    sharp = canvas.filled([half])[100].astype(np.float32)
    soft = canvas.softened(np.tile(sharp, (256, 1)), softness)
    offsets = np.arange(-150, 151)
    kernel = np.exp(-0.5 * (offsets / (softness * 256)) ** 2)
    expected = np.convolve(np.pad(sharp, 150, "reflect"), kernel / kernel.sum(), "valid")
    np.testing.assert_allclose(soft, np.tile(expected, (256, 1)), atol=0.04 * 255)
