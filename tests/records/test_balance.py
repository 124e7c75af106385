import pandas as pd
import pytest

from tfptx.records import balance

EXAMPLES = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d", "e"],
        "patient_id": ["p", "p", "q", "r", "r"],
        "fold": [0, 1, 0, -1, -1],
        "mask_px": [0, 10, 30, 50, 0],
        "mask_rows": 10,
        "mask_columns": 100,
        "view": ["PA", "AP", "PA", "", "PA"],
        "sex": ["F", "M", "F", "F", ""],
        "age": [40, 50, None, 70, None],
        "same_pixels_as": ["", "a", "a", "", "d"],
    }
)


def test_a_fold_has_its_shares_and_counts():
    assert balance.of_fold(EXAMPLES) == {
        "patients": 3,
        "positive_share": 0.6,
        "mask_quartiles_percent": pytest.approx([2, 3, 4]),
        "views": {"AP": 1, "PA": 3},
        "sexes": {"F": 3, "M": 1},
        "median_age": 50,
    }


def test_what_is_not_known_is_none_or_empty():
    unlabelled = EXAMPLES.assign(mask_px="", view="", sex="", age=None)
    found = balance.of_fold(unlabelled)
    assert found == {
        "patients": 3,
        "positive_share": None,
        "mask_quartiles_percent": [],
        "views": {},
        "sexes": {},
        "median_age": None,
    }


def test_patients_and_equal_images_in_several_folds_are_leaks():
    assert balance.leaks(EXAMPLES) == {
        "patients_in_several_folds": 1,
        "equal_images": 3,
        "equal_images_in_several_folds": 1,
    }
