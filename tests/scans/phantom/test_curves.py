import numpy as np
import pytest

from tfptx.scans.phantom import curves

SQUARE = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 3.0), (0.0, 3.0)])


def test_area_of_a_rectangle_either_way_round():
    assert curves.area(SQUARE) == pytest.approx(6)
    assert curves.area(SQUARE[::-1]) == pytest.approx(6)


def test_a_band_along_a_straight_line_is_a_rectangle():
    outline = curves.band(np.stack([np.linspace(0, 5, 9), np.full(9, 1.0)], axis=1), 0.4)
    assert curves.area(outline) == pytest.approx(2.0)
    assert outline[:, 1].min() == pytest.approx(0.8)
    assert outline[:, 1].max() == pytest.approx(1.2)


def test_a_loop_starts_where_it_was_told_and_closes_evenly():
    loop = curves.closed(SQUARE, 200)
    np.testing.assert_allclose(loop[[0, -1]], SQUARE[[0, 0]], atol=1e-9)
    steps = np.linalg.norm(np.diff(loop, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.05
    for corner in SQUARE:
        assert np.linalg.norm(loop - corner, axis=1).min() < steps.max()


def test_a_curve_joins_its_ends_and_keeps_a_straight_line_straight():
    line = np.array([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)])
    curve = curves.opened(line, 11)
    np.testing.assert_allclose(curve[[0, -1]], line[[0, -1]])
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0] + 1)
