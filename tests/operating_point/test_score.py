import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfptx.operating_point import score

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_dice_equals_sets_of_pixels(data):
    shape = data.draw(shapes)
    mask, truth = (data.draw(hnp.arrays(np.bool_, shape)) for _ in range(2))
    predicted, true = ({tuple(p) for p in np.argwhere(m)} for m in (mask, truth))
    total = len(predicted) + len(true)
    expected = 2 * len(predicted & true) / total if total else 1.0
    assert score.dice(mask, truth) == expected


def test_the_rule_for_empty_masks():
    empty, full = np.zeros((2, 2), bool), np.ones((2, 2), bool)
    assert score.dice(empty, empty) == 1.0
    assert score.dice(empty, full) == score.dice(full, empty) == 0.0
    with pytest.raises(ValueError, match="resize one"):
        score.dice(empty, np.zeros((3, 2), bool))


def test_figures_of_a_hand_worked_table():
    found = score.figures(np.array([1.0, 0.0, 0.5]), np.array([0, 4, 2]), np.array([0, 0, 2]))
    assert {name: float(value) for name, value in found.items()} == {
        "mean_dice": 0.5,
        "positive_dice": 0.5,
        "sensitivity": 1.0,
        "specificity": 0.5,
        "empty_share": pytest.approx(1 / 3),
    }
