import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfptx.operating_point import grid, rule


def test_the_usual_grid_has_19_thresholds_and_ends_at_its_last():
    found = grid.values("0.05:0.95:0.05")
    assert found == tuple(round(0.05 * k, 2) for k in range(1, 20))
    assert found[-1] == 0.95


def test_a_step_that_misses_the_last_stops_before_it():
    assert grid.values("0.6:0.8:0.015")[-1] == 0.795
    assert grid.pixels("0:1000:300") == (0, 300, 600, 900)
    assert grid.pixels("5:5:1") == (5,)


def test_lists_are_sorted_and_each_value_stands_once():
    assert grid.values(" 0.75, 0.3,0.7500,1,0") == (0.0, 0.3, 0.75, 1.0)
    assert grid.pixels("2000") == (2000,)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 10_000))
def test_every_threshold_of_a_range_is_exact(first, last, step):
    first, last = min(first, last), max(first, last)
    found = grid.values(f"{first / 10_000:.4f}:{last / 10_000:.4f}:{step / 10_000:.4f}")
    assert [rule.level_of(value) for value in found] == list(np.arange(first, last + 1, step))


@pytest.mark.parametrize(
    "text", ["", ",", "a,b", "0.1:0.9", "0.1:0.9:0.1:2", "nan", "0:inf:1", "0:1:nan", "0:1:1e-99"]
)
def test_what_is_no_grid_is_refused_with_the_form(text):
    with pytest.raises(ValueError, match="first:last:step"):
        grid.values(text)
    with pytest.raises(ValueError, match="first:last:step"):
        grid.pixels(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.12345", "more than four decimals"),
        ("0.1:0.2:0.00005", "more than four decimals"),
        ("0.9:0.1:0.1", "has 0 values"),
        ("0.1:0.9:0", "has 0 values"),
        ("0.9:0.1:-0.1", "has 0 values"),
        ("0:1:0.00001", "has 100001 values"),
        ("0.5,1.5", "not from 0 to 1"),
    ],
)
def test_thresholds_that_can_not_be_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        grid.values(text)


@pytest.mark.parametrize("text", ["0.5", "-1,3", "0:2:0.5", "1e12"])
def test_pixels_that_can_not_be_are_refused(text):
    with pytest.raises(ValueError, match="no whole number"):
        grid.pixels(text)


def test_a_grid_has_the_axes_of_its_kind_in_their_order():
    axes = {"min_pixels": (0,), "threshold": (0.5,)}
    with pytest.raises(ValueError, match="axes threshold, min_pixels, in this order; got min_pix"):
        grid.Grid("joint", axes, 8)
