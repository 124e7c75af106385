import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tfptx.operating_point import components

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
CORNERS = np.ones((3, 3))


@settings(max_examples=200, deadline=None)
@given(masks)
def test_holes_are_those_of_scipy(mask):
    np.testing.assert_array_equal(components.filled(mask), ndimage.binary_fill_holes(mask))


@settings(max_examples=200, deadline=None)
@given(masks, st.integers(0, 12))
def test_small_components_are_dropped(mask, min_px):
    labels, count = ndimage.label(mask, CORNERS)
    expected = np.zeros_like(mask)
    for label in range(1, count + 1):
        component = labels == label
        expected |= component & (component.sum() >= min_px)
    np.testing.assert_array_equal(components.dropped(mask, min_px), expected)


@settings(max_examples=100, deadline=None)
@given(masks, st.randoms(use_true_random=False))
def test_areas_are_those_of_each_component_and_of_its_part_in_the_truth(mask, random):
    truth = np.array([random.random() < 0.5 for _ in range(mask.size)]).reshape(mask.shape)
    labels, count = ndimage.label(mask, CORNERS)
    expected = sorted(
        (int((labels == label).sum()), int(((labels == label) & truth).sum()))
        for label in range(1, count + 1)
    )
    areas, within = components.areas(mask, truth)
    assert sorted(zip(areas.tolist(), within.tolist(), strict=True)) == expected


def test_a_diagonal_joins_a_component_and_closes_a_hole():
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    assert components.filled(ring).sum() == 5
    assert components.areas(ring, ring)[0].tolist() == [4]
