import subprocess
import sys

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from tfptx.scans import folds

PATIENTS = [f"p{index // 2:03d}" for index in range(400)]
POSITIVE = [index % 8 < 2 for index in range(400)]  # both images of every fourth patient


def test_the_number_of_the_test_share_costs_no_import_of_scikit_learn():
    code = "import sys; from tfptx.scans.folds import TEST; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "share", [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.45, 0.5, 0.6, 0.85, 0.95]
)
def test_the_test_share_is_the_one_asked_for(share):
    assigned = folds.assign(PATIENTS, POSITIVE, 5, share, seed=0)
    # Parts differ by a patient or two of these 200.
    assert (assigned == folds.TEST).mean() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(("share", "parts"), [(0.2, 5), (0.25, 4)])
def test_the_share_of_one_part_is_the_first_of_the_fewest_parts(share, parts):
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=3)
    # Labels are equal within a patient, so the images stand in the order that `assign` gives them.
    _, first = next(splitter.split(PATIENTS, np.asarray(POSITIVE, int), PATIENTS))
    assigned = folds.assign(PATIENTS, POSITIVE, 4, share, seed=3)
    assert np.flatnonzero(assigned == folds.TEST).tolist() == first.tolist()


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_neither_the_test_share_nor_the_rest_is_empty(share):
    assigned = folds.assign(PATIENTS, POSITIVE, 2, share, seed=0)
    assert (assigned == folds.TEST).any()
    assert set(assigned) == {folds.TEST, 0, 1}


def test_a_share_asks_for_no_more_parts_than_the_images_allow():
    patients = [f"p{index}" for index in range(8)]
    assigned = folds.assign(patients, [index < 4 for index in range(8)], 2, 0.4, seed=0)
    # Of up to four parts, as four images of a label allow, one of three comes nearest.
    assert (assigned == folds.TEST).sum() == 3


def test_fewer_positives_than_folds_are_no_warning():
    positive = [index == 0 for index in range(400)]
    assigned = folds.assign(PATIENTS, positive, 5, 0.2, seed=0)
    assert set(assigned) == {folds.TEST, 0, 1, 2, 3, 4}


def test_patients_stay_together_in_any_order_of_the_images():
    assigned = folds.assign(PATIENTS, POSITIVE, 5, 0.2, seed=0)
    np.testing.assert_array_equal(assigned[::2], assigned[1::2])
    order = np.random.default_rng(0).permutation(400)
    shuffled = folds.assign(
        [PATIENTS[i] for i in order], [POSITIVE[i] for i in order], 5, 0.2, seed=0
    )
    np.testing.assert_array_equal(shuffled, assigned[order])


def test_fewer_patients_than_folds_are_an_error():
    with pytest.raises(ValueError, match="2 patients can't fill 3 folds"):
        folds.assign(["a", "a", "b"], [True, False, False], 3, 0.0, seed=0)
    with pytest.raises(ValueError, match="0 patients can't fill 2 folds"):
        folds.assign([], [], 3, 0.2, seed=0)
