import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tfptx.operating_point import ranking
from tfptx.operating_point.intervals import Bootstrap

FIGURES = [(ranking.auroc, roc_auc_score), (ranking.average_precision, average_precision_score)]


@pytest.fixture
def ranked():
    """Scores with many ties, truths and patients of 90 images."""
    random = np.random.default_rng(0)
    is_positive = random.random(90) < 0.3
    scores = np.round(random.normal(is_positive, 1.0), 1)
    return scores, is_positive, [f"p{number // 2}" for number in range(90)]


@pytest.mark.parametrize(("ours", "theirs"), FIGURES)
def test_figures_and_their_resamples_are_those_of_scikit_learn(ours, theirs, ranked):
    scores, is_positive, patients = ranked
    drawn = Bootstrap(patients, 150)
    found = ours(drawn, scores, is_positive)
    assert float(found.value) == pytest.approx(theirs(is_positive, scores), abs=1e-12)
    patient_of = np.unique(patients, return_inverse=True)[1]
    for resample in (0, 99, 149):
        weights = drawn._times_drawn[resample][patient_of]
        expected = theirs(is_positive, scores, sample_weight=weights)
        assert found.resampled[resample] == pytest.approx(expected, abs=1e-12)
    kept = patient_of != 7
    expected = theirs(is_positive[kept], scores[kept])
    assert found.jackknife[7] == pytest.approx(expected, abs=1e-12)
    low, high = found.interval()
    assert low < float(found.value) < high


def test_a_ranking_without_an_error_is_as_sure_as_its_pairs_of_patients():
    """Four positives and six negatives make four pairs that share no patient."""
    scores = np.arange(10) / 10
    found = ranking.auroc(Bootstrap([f"p{n}" for n in range(10)]), scores, scores >= 0.6)
    low, high = found.interval()
    assert (float(found.value), float(high)) == (1, 1)
    assert float(low) == pytest.approx(0.025 ** (1 / 4))
    of_one = ranking.auroc(Bootstrap(["p"] * 10), scores, scores >= 0.6)
    assert np.isnan(of_one.interval()).all()


@pytest.mark.parametrize(("ours", "theirs"), FIGURES)
def test_without_a_positive_image_there_is_no_figure(ours, theirs):
    found = ours(Bootstrap(["a", "b"], 10), np.array([0.1, 0.2]), np.zeros(2, bool))
    assert np.isnan(found.value)
