import numpy as np
import pytest

from tfptx.operating_point.decisions import mcnemar


def rights(both, one, other, neither):
    """Which images two systems decide rightly, by how many there are of each sort."""
    first = np.repeat([True, True, False, False], [both, one, other, neither])
    second = np.repeat([True, False, True, False], [both, one, other, neither])
    return first, second


def test_only_images_count_that_one_system_alone_decides_rightly():
    # 1 and 7 of 8: 2 (C(8, 0) + C(8, 1)) / 2^8.
    assert mcnemar(*rights(50, 1, 7, 20)) == pytest.approx(2 * 9 / 256)
    assert mcnemar(*rights(0, 7, 1, 0)) == pytest.approx(2 * 9 / 256)
    assert mcnemar(*rights(9, 4, 4, 9)) == 1


def test_systems_that_never_differ_are_alike():
    assert mcnemar(*rights(5, 0, 0, 3)) == 1
