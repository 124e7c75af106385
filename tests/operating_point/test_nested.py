import numpy as np
import pytest

from tfptx.operating_point import nested
from tfptx.operating_point.cells import Images


def images(patients, folds):
    sizes = np.full(len(patients), 8)
    return Images(sizes, sizes, sizes, np.array(patients), np.array(folds))


def test_folds_that_part_the_patients_are_the_parts():
    parts = nested.parts(images(["a", "a", "b", "c"], [2, 2, 0, 2]), 0)
    assert parts.tolist() == [2, 2, 0, 2]


@pytest.mark.parametrize("folds", [[0] * 40, [0, 1] * 20, [0] * 39 + [1]])
def test_where_folds_do_not_patients_are_parted_whole(folds):
    patients = [f"p{number // 2}" for number in range(40)]
    parts = nested.parts(images(patients, folds), 0)
    assert np.bincount(parts).tolist() == [8] * nested.NUM_PARTS
    assert (parts[::2] == parts[1::2]).all()
    assert nested.parts(images(patients, folds), 1).tolist() != parts.tolist()
