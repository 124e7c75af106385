import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
pairs = st.builds(
    rule.Pair,
    st.integers(0, rule.LEVELS).map(lambda level: level / rule.LEVELS),
    st.integers(0, 60),
    st.integers(1, 9),
)


def test_levels_count_the_edges_below_at_every_edge_and_its_neighbours():
    expected = np.searchsorted(rule.EDGES, AROUND_EDGES, side="right")
    np.testing.assert_array_equal(rule.levels(AROUND_EDGES), expected)


@settings(max_examples=100, deadline=None)
@given(maps, pairs)
def test_a_map_and_its_levels_are_decided_alike(probability, pair):
    mask = rule.mask(probability, pair)
    np.testing.assert_array_equal(rule.mask_of_levels(rule.levels(probability), pair), mask)
    above = probability >= np.float32(pair.threshold)
    is_kept = int(above.sum()) * pair.size_px**2 >= pair.min_pixels * probability.size
    np.testing.assert_array_equal(mask, above & is_kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1.5, 0, 1), "from 0 to 1"), ((0.12345, 0, 1), "four decimals"), ((0.5, -1, 1), "below 0")],
)
def test_a_pair_that_can_not_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rule.Pair(*arguments)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="sigmoid"):
        rule.levels(np.array([np.nan], np.float32))
    with pytest.raises(ValueError, match="float32"):
        rule.levels(np.array([0.5]))
