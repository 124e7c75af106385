import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tfptx.operating_point import ranking
from tfptx.operating_point.intervals import Bootstrap, Distribution


@pytest.fixture
def values():
    return np.random.default_rng(0).beta(2, 0.5, 200)


def ids(count):
    return [f"patient {number}" for number in range(count)]


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_intervals_of_a_mean_are_those_of_scipy(values, ours, theirs):
    found = Bootstrap(ids(len(values)), 20_000).mean(values)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method=theirs, rng=np.random.default_rng(1)
    ).confidence_interval
    # Both are random; a hundredth of the interval's width is more than they differ by.
    tolerance = 0.02 * (expected.high - expected.low)
    assert float(found.value) == pytest.approx(values.mean(), abs=1e-12)
    assert [float(end) for end in found.interval(ours)] == pytest.approx(
        [expected.low, expected.high], abs=tolerance
    )


def test_bca_is_its_formula_on_a_given_distribution():
    """Efron 1987: the quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z)))."""
    random = np.random.default_rng(3)
    resampled, jackknife = random.gamma(2, size=(999, 1)), random.gamma(2, size=(40, 1))
    found = Distribution(np.array([1.5]), resampled, jackknife)
    bias = stats.norm.ppf(np.mean(resampled < 1.5))
    left = jackknife.mean() - jackknife
    acceleration = (left**3).sum() / (6 * (left**2).sum() ** 1.5)
    for end, share in zip(found.interval("bca", 0.9), (0.05, 0.95), strict=True):
        moved = bias + stats.norm.ppf(share)
        level = stats.norm.cdf(bias + moved / (1 - acceleration * moved))
        assert float(end[0]) == pytest.approx(np.quantile(resampled, level), rel=1e-12)


def test_whole_patients_are_drawn(values):
    """An image that stands ten times under one patient makes the mean no surer."""
    once = Bootstrap(ids(len(values))).mean(values)
    copies = Bootstrap(np.repeat(ids(len(values)), 10).tolist()).mean(np.repeat(values, 10))
    np.testing.assert_allclose(copies.resampled, once.resampled)
    np.testing.assert_allclose(copies.interval(), once.interval())


def test_the_order_of_the_images_does_not_matter(values):
    patients = np.array([f"{number % 70}" for number in range(len(values))])
    order = np.random.default_rng(5).permutation(len(values))
    one = Bootstrap(patients.tolist()).mean(values)
    other = Bootstrap(patients[order].tolist()).mean(values[order])
    np.testing.assert_allclose(one.interval(), other.interval(), rtol=1e-12)


def test_the_order_of_sums_does_not_matter_where_resamples_tie_with_the_figure():
    """Of as few scores as images have, one resample in forty has just the mean of all images."""
    scores = np.random.default_rng(3).integers(0, 11, 30) / 10
    one = Bootstrap(ids(30)).mean(scores)
    bits = 1e-13 * np.random.default_rng(4).normal(size=one.resampled.shape)
    ends = one.interval()
    for noise in (bits, -bits, np.abs(bits), -np.abs(bits)):
        other = replace(one, resampled=one.resampled + noise)
        np.testing.assert_allclose(other.interval(), ends, rtol=1e-12)
    assert np.mean(np.abs(one.resampled - one.value) < 1e-12) > 0.01


def test_jackknife_and_resamples_are_the_figure_of_other_images(values):
    patients = [f"{number % 70}" for number in range(len(values))]
    is_positive = values > 0.9
    drawn = Bootstrap(patients, 50)
    found = drawn.share(values, is_positive)
    assert float(found.value) == pytest.approx(values[is_positive].mean())
    without = np.array(patients) != np.unique(patients)[3]
    expected = values[is_positive & without].mean()
    assert found.jackknife[3] == pytest.approx(expected)
    times = drawn._times_drawn[7][np.unique(patients, return_inverse=True)[1]]
    expected = np.average(values[is_positive], weights=times[is_positive])
    assert found.resampled[7] == pytest.approx(expected)


def test_cells_are_independent_of_each_other(values):
    cells = np.stack([values, values**2, 1 - values], axis=1).reshape(-1, 3, 1)
    drawn = Bootstrap(ids(len(values)))
    found = drawn.mean(cells)
    low, high = found.interval()
    assert low.shape == high.shape == (3, 1)
    for cell in range(3):
        alone = drawn.mean(cells[:, cell, 0]).interval()
        np.testing.assert_allclose([low[cell, 0], high[cell, 0]], alone, rtol=1e-12)


def test_a_paired_difference_is_surer_than_its_parts(values):
    drawn = Bootstrap(ids(len(values)))
    better = drawn.mean(np.minimum(values + 0.01, 1))
    difference = better - drawn.mean(values)
    low, high = difference.interval()
    assert 0 < low < float(difference.value) < high < 0.0101


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_figures_that_do_not_move_are_as_sure_as_their_patients_are_many(method):
    """20 of 20 are between 0.832 and 1 (Clopper and Pearson), of however many images each."""
    found = np.repeat(True, 40)
    sensitivity = Bootstrap(ids(20) * 2).share(found, found)
    low, high = sensitivity.interval(method)
    assert (float(low), float(high)) == (pytest.approx(0.8316, abs=1e-4), 1)
    missed = Bootstrap(ids(20) * 2).mean(~found)
    low, high = missed.interval(method)
    assert (float(low), float(high)) == (0, pytest.approx(1 - 0.8316, abs=1e-4))


def test_only_the_cells_that_do_not_move_are_exact(values):
    cells = np.stack([values, np.ones(200)], axis=1)
    drawn = Bootstrap(ids(200))
    low, high = drawn.mean(cells).interval()
    np.testing.assert_allclose([low[0], high[0]], drawn.mean(values).interval(), rtol=1e-12)
    assert (low[1], high[1]) == (pytest.approx(0.025 ** (1 / 200)), 1)


def test_a_difference_and_a_ratio_that_do_not_move_are_one_point():
    drawn = Bootstrap(ids(20))
    ones = drawn.mean(np.ones(20))
    assert [float(end) for end in (ones - ones).interval()] == [0, 0]
    assert [float(end) for end in drawn.ratio(np.full(20, 9.0), np.ones(20)).interval()] == [9, 9]


def test_resamples_without_a_positive_image_are_left_out():
    is_positive = np.arange(10) < 2
    found = Bootstrap(ids(10)).ratio(np.full(10, 0.5), is_positive.astype(float))
    assert np.isnan(found.resampled).any()
    assert [float(end) for end in found.interval()] == [0.5, 0.5]
    none = Bootstrap(ids(10)).share(np.full(10, 0.5), np.zeros(10, bool))
    assert all(np.isnan(end) for end in none.interval())


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_one_patient_makes_no_interval(method):
    alone = Bootstrap(["one"] * 4)
    figures = [
        alone.mean([0.9, 1.0, 0.8, 0.9]),
        alone.mean(np.ones(4)),
        alone.ratio(np.full(4, 9.0), np.ones(4)),
        ranking.average_precision(alone, np.arange(4.0), np.arange(4) % 2 == 0),
    ]
    # Of ten patients one is positive.
    several = Bootstrap(ids(10))
    is_positive = np.arange(10) == 0
    sensitivity = several.share(is_positive, is_positive)
    figures += [sensitivity, sensitivity - several.mean(np.linspace(0, 1, 10))]
    for figure in figures:
        assert not np.isnan(figure.value)
        assert np.isnan(figure.interval(method)).all()
    low, high = several.share(~is_positive, ~is_positive).interval(method)
    assert (float(low), float(high)) == (pytest.approx(0.025 ** (1 / 9)), 1)


def test_coverage_is_about_what_it_says():
    random = np.random.default_rng(11)
    hits = 0
    for trial in range(300):
        patients = np.repeat(np.arange(60), 2)
        sample = random.exponential(size=60)[patients] + random.normal(0, 0.1, 120)
        low, high = (
            Bootstrap(patients.astype(str).tolist(), 400, seed=trial)
            .ratio(sample, np.ones(120))
            .interval()
        )
        hits += low <= 1.0 <= high
    assert 0.90 <= hits / 300 <= 0.98


def test_signs_of_patients_that_all_agree_can_come_by_chance_only():
    drawn = Bootstrap(ids(6), 20_000)
    assert drawn.signs(np.full(6, 0.1)) == pytest.approx(2 / 2**6, abs=0.004)
    assert drawn.signs(np.zeros(6)) == 1
    assert drawn.signs([0.3, -0.3, 0.2, -0.2, 0.1, -0.1]) == 1


def test_blocks_of_signs_are_all_drawn():
    """No draw reaches the sum of 30 patients that agree: p is 1 / (draws + 1)."""
    assert Bootstrap(ids(30), 250).signs(np.ones(30)) == 1 / 251
    assert Bootstrap(ids(1), 250).signs(np.ones(1)) == 1
    assert np.isnan(Bootstrap(ids(2)).signs([0.1, np.nan]))


def test_signs_of_many_patients_take_little_memory():
    drawn = Bootstrap(ids(2000), 3000)
    tracemalloc.start()
    drawn.signs(np.ones(2000))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8e6  # all draws at once are 48 MB


def test_there_must_be_images():
    with pytest.raises(ValueError, match="no images"):
        Bootstrap([])
