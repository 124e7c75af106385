import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfptx.operating_point import proportion


@given(st.integers(1, 60), st.data(), st.sampled_from([0.9, 0.95, 0.975]))
def test_it_is_that_of_scipy(num_trials, data, level):
    hits = data.draw(st.integers(0, num_trials))
    expected = stats.binomtest(hits, num_trials).proportion_ci(level, "exact")
    found = proportion.interval(hits / num_trials, num_trials, level)
    assert list(map(float, found)) == pytest.approx([expected.low, expected.high], abs=1e-9)


def test_twenty_of_twenty_are_no_certainty():
    low, high = proportion.interval(1.0, 20, 0.95)
    assert (float(low), float(high)) == (pytest.approx(0.025 ** (1 / 20)), 1)


def test_shares_broadcast_and_without_a_trial_there_is_no_interval():
    low, high = proportion.interval([0.0, 0.5, np.nan, 0.5], [4, 1, 3, 0], 0.95)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [False, False, True, True]
    assert (low[0], high[0]) == (0, pytest.approx(1 - 0.025 ** (1 / 4)))
    assert 0 < low[1] < 0.01
    assert 0.99 < high[1] < 1
