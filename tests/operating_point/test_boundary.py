import numpy as np
import pytest

from tfptx.operating_point import boundary


def square(first_row, side=20, size=64):
    mask = np.zeros((size, size), bool)
    mask[first_row : first_row + side, 10 : 10 + side] = True
    return mask


def test_squares_a_known_way_apart():
    # Four rows of half a millimetre: all of both outlines lies within 2 mm, at twice that not.
    near = boundary.distances(square(10), square(14), 0.5)
    assert near == (pytest.approx(2.0), pytest.approx(1.0))
    far = boundary.distances(square(10), square(14), 1.0)
    assert far.hd95_mm == pytest.approx(4.0)
    # Top and bottom are 4 mm off, the sides but for their ends on each other.
    assert 0.4 < far.surface_dice < 0.7
    assert boundary.distances(square(10), square(10), 1.0) == (0, 1)


def test_where_on_the_image_the_masks_lie_changes_nothing():
    here = boundary.distances(square(10), square(13), 0.7)
    there = boundary.distances(np.pad(square(10), 30), np.pad(square(13), 30), 0.7)
    assert here == there


@pytest.mark.parametrize(
    ("mask", "truth", "spacing_mm"),
    [
        (square(10), np.zeros((64, 64), bool), 0.5),
        (np.zeros((64, 64), bool), square(10), 0.5),
        (square(10), square(10), np.nan),
    ],
)
def test_what_can_not_be_measured_is_nan(mask, truth, spacing_mm):
    assert np.isnan(boundary.distances(mask, truth, spacing_mm)).all()
