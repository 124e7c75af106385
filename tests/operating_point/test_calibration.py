import numpy as np
import pytest
from scipy import special

from tfptx.operating_point import calibration
from tfptx.operating_point.calibration import Events


def events(probability, total, true):
    return Events(*(np.array(each, np.float64) for each in (probability, total, true)))


def sample(seed, distort, count=4000):
    """Events whose probabilities are off by a known map."""
    random = np.random.default_rng(seed)
    honest = random.random(count)
    came = random.random(count) < honest
    return events(distort(honest), np.ones(count), came)


def test_bins_hold_means_by_hand():
    table = calibration.reliability(events([0.01, 0.05, 0.5, 1.0], [3, 1, 2, 4], [0, 1, 1, 4]))
    assert table["low"].tolist() == pytest.approx([0, 7 / 15, 14 / 15])
    assert table["probability"].tolist() == pytest.approx([0.08 / 4, 0.5, 1.0])
    assert table["observed"].tolist() == [0.25, 0.5, 1.0]
    assert table["events"].tolist() == [4, 2, 4]


def test_figures_are_their_formulas():
    some = events([0.2, 0.2, 0.9], [1, 1, 1], [0, 1, 1])
    found = calibration.figures(some)
    p, y = np.array([0.2, 0.2, 0.9]), np.array([0, 1, 1])
    assert found["brier"] == pytest.approx(np.mean((p - y) ** 2))
    assert found["nll"] == pytest.approx(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    assert found["ece"] == pytest.approx((2 * abs(0.5 - 0.2) + abs(1 - 0.9)) / 3)


def test_counted_events_are_those_one_by_one():
    counted = calibration.figures(events([0.3, 0.8], [4, 3], [1, 2]))
    alone = calibration.figures(events([0.3] * 4 + [0.8] * 3, [1] * 7, [1, 0, 0, 0, 1, 1, 0]))
    assert counted == pytest.approx(alone)


def test_the_temperature_that_was_put_in_is_found():
    fitted = calibration.temperature(sample(0, lambda p: special.expit(3 * special.logit(p))))
    grid = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(fitted(grid), special.expit(special.logit(grid) / 3), atol=0.03)


def test_isotonic_regression_mends_any_rising_map():
    distorted = [sample(seed, lambda p: p**3) for seed in range(3)]
    table = calibration.table(distorted).set_index("method")
    assert list(table.index) == ["as predicted", "temperature", "isotonic"]
    assert table.loc["as predicted", "ece"] > 0.15
    assert table.loc["isotonic", "ece"] < 0.03
    assert table.loc["isotonic", "brier"] < table.loc["as predicted", "brier"]


def test_a_method_is_not_fitted_on_what_it_is_judged_on():
    """Isotonic regression on itself has no calibration error at all; out of the part it has."""
    parts = [sample(seed, lambda p: p, count=60) for seed in range(2)]
    judged = calibration.table(parts).set_index("method").loc["isotonic", "brier"]
    together = calibration.joined(parts)
    on_itself = calibration.figures(together.mapped(calibration.isotonic(together)))["brier"]
    assert judged > on_itself
    assert calibration.table(parts[:1])["method"].tolist() == ["as predicted"]
