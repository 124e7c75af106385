import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tfptx.operating_point import rule

AROUND_EDGES = np.concatenate(
    [
        np.nextafter(rule.EDGES, np.float32(0)),
        rule.EDGES,
        np.nextafter(rule.EDGES, np.float32(2))[:-1],
        np.zeros(1, np.float32),
    ]
)
maps = hnp.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32))
thresholds = st.integers(0, rule.LEVELS).map(lambda level: level / rule.LEVELS)
rules = st.builds(
    lambda some, area_px, other, **more: rule.Rule(
        max(some, other), area_px, min(some, other), **more
    ),
    thresholds,
    st.integers(0, 60),
    thresholds,
    size_px=st.integers(1, 9),
    fills_holes=st.booleans(),
    min_component_px=st.integers(0, 20),
)


def test_levels_count_the_edges_below_at_every_edge_and_its_neighbours():
    expected = np.searchsorted(rule.EDGES, AROUND_EDGES, side="right")
    np.testing.assert_array_equal(rule.levels(AROUND_EDGES), expected)


@settings(max_examples=100, deadline=None)
@given(maps, rules)
def test_a_map_and_its_levels_are_decided_alike_as_the_rule_says(probability, any_rule):
    mask = rule.mask(probability, any_rule)
    np.testing.assert_array_equal(rule.mask_of_levels(rule.levels(probability), any_rule), mask)
    scale = any_rule.size_px**2
    sure = probability >= np.float32(any_rule.top_threshold)
    expected = probability >= np.float32(any_rule.bottom_threshold)
    expected = expected & (int(sure.sum()) * scale >= any_rule.area_px * probability.size)
    if any_rule.fills_holes:
        expected = ndimage.binary_fill_holes(expected)
    labels, count = ndimage.label(expected, np.ones((3, 3)))
    for label in range(1, count + 1):
        component = labels == label
        if int(component.sum()) * scale < any_rule.min_component_px * probability.size:
            expected &= ~component
    np.testing.assert_array_equal(mask, expected)


@settings(max_examples=50, deadline=None)
@given(maps, thresholds, st.integers(0, 60), st.integers(1, 9))
def test_a_pair_is_the_triplet_of_two_equal_thresholds(probability, threshold, area_px, size_px):
    pair = rule.pair(threshold, area_px, size_px)
    assert pair == rule.Rule(threshold, area_px, threshold, size_px)
    above = probability >= np.float32(threshold)
    is_kept = int(above.sum()) * size_px**2 >= area_px * probability.size
    np.testing.assert_array_equal(rule.mask(probability, pair), above & is_kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1.5, 0, 1), "from 0 to 1"), ((0.12345, 0, 1), "four decimals"), ((0.5, -1, 1), "below 0")],
)
def test_a_pair_that_can_not_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rule.pair(*arguments)


def test_a_triplet_that_can_not_be_is_refused():
    with pytest.raises(ValueError, match=r"the top threshold 0\.3 is below the bottom one, 0\.4"):
        rule.Rule(0.3, 0, 0.4, 8)
    with pytest.raises(ValueError, match="the smallest component is -1 px"):
        rule.Rule(0.4, 0, 0.3, 8, min_component_px=-1)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="sigmoid"):
        rule.levels(np.array([np.nan], np.float32))
    with pytest.raises(ValueError, match="float32"):
        rule.levels(np.array([0.5]))


def test_a_mask_is_empty_where_the_presence_does_not_reach_its_threshold():
    probability = np.full((3, 3), 0.8, np.float32)
    decided = rule.Rule(0.5, 0, 0.5, 3, min_presence=0.4)
    for presence, count in ((0.4, 9), (np.nextafter(np.float32(0.4), np.float32(0)), 0), (1, 9)):
        assert rule.mask(probability, decided, np.float32(presence)).sum() == count
    for unsaid in (None, np.float32(np.nan)):
        with pytest.raises(ValueError, match=r"asks a presence of 0\.4, and the image has none"):
            rule.mask(probability, decided, unsaid)
    assert rule.mask(probability, rule.pair(0.5, 0, 3)).sum() == 9
