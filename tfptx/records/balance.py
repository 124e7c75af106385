"""This holds the balance of records: what each fold has, and what two folds share."""

from typing import Any

import numpy as np
import pandas as pd

QUARTILES = (0.25, 0.5, 0.75)


def of_fold(examples: pd.DataFrame) -> dict[str, Any]:
    """The share of positives, their masks' sizes, views, sexes and ages of a fold's examples.

    Sizes are quartiles of the share of the image, in per cent. What is unknown everywhere is None
    or empty.
    """
    area_px = examples["mask_rows"] * examples["mask_columns"]
    # Of unlabelled examples the cells are empty.
    mask_px = pd.to_numeric(examples["mask_px"])
    share = (mask_px / area_px)[mask_px > 0]
    age = examples["age"].dropna()
    return {
        "patients": int(examples["patient_id"].nunique()),
        "positive_share": float((mask_px > 0).mean()) if mask_px.notna().any() else None,
        "mask_quartiles_percent": [float(100 * each) for each in share.quantile(list(QUARTILES))]
        if len(share)
        else [],
        "views": _counts(examples["view"]),
        "sexes": _counts(examples["sex"]),
        "median_age": float(np.median(age)) if len(age) else None,
    }


def leaks(examples: pd.DataFrame) -> dict[str, int]:
    """How many patients, and how many images with equal pixels, stand in several folds.

    `equal_images` are those with the pixels of an earlier one, `equal_images_in_several_folds`
    those of them whose fold is another than that one's.
    """
    num_folds_of_patient = examples.groupby("patient_id")["fold"].nunique()
    fold_of = dict(zip(examples["image_id"], examples["fold"], strict=True))
    equal = examples[examples["same_pixels_as"] != ""]
    return {
        "patients_in_several_folds": int((num_folds_of_patient > 1).sum()),
        "equal_images": len(equal),
        "equal_images_in_several_folds": int(
            (equal["same_pixels_as"].map(fold_of) != equal["fold"]).sum()
        ),
    }


def _counts(texts: pd.Series) -> dict[str, int]:
    """How many examples have each text, by text, those that have none aside."""
    counts = texts[texts != ""].value_counts().sort_index()
    return {str(text): int(count) for text, count in counts.items()}
