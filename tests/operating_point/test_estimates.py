import numpy as np
import pytest

from tfptx.operating_point import estimates, score
from tfptx.operating_point.intervals import Bootstrap


def test_values_are_those_of_the_score():
    random = np.random.default_rng(0)
    truth_px = random.integers(0, 3, 40)
    predicted_px = random.integers(0, 2, 40) * random.integers(0, 9, 40)
    dice = random.random(40)
    drawn = Bootstrap([str(number % 30) for number in range(40)])
    found = estimates.figures(drawn, dice, predicted_px, truth_px)
    expected = score.figures(dice, predicted_px, truth_px)
    assert list(found) == list(expected)
    for name, figure in found.items():
        estimate = estimates.estimate(figure)
        assert estimate.value == pytest.approx(float(expected[name]))
        assert estimate.low < estimate.value < estimate.high


def test_figures_that_no_image_bears_on_are_nan():
    drawn = Bootstrap(["a", "b"])
    found = estimates.figures(drawn, np.ones(2), np.zeros(2, int), np.zeros(2, int))
    estimate = estimates.estimate(found["positive_dice"])
    assert all(np.isnan(value) for value in vars(estimate).values())
