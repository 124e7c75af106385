"""This holds the division of images into folds and a test share, by patient."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from tfptx.scans.annotations import read_columns

TEST = -1  # the fold number of images set aside for the test


def read_groups(path: Path) -> dict[str, str]:
    """Read image ids and patients from the first two columns of a csv.

    An NIH file name `<patient>_<follow-up>.png` in the second column counts as its patient.
    Raises ValueError where there are no two columns or an id stands with two patients.
    """
    table = read_columns(path, ())
    if len(table.columns) < 2:
        raise ValueError(f"{path} needs two columns: image id and patient")
    groups: dict[str, str] = {}
    for image_id, name in zip(table.iloc[:, 0], table.iloc[:, 1], strict=True):
        patient = name.partition("_")[0] if name.endswith(".png") else name
        if groups.setdefault(image_id, patient) != patient:
            raise ValueError(f"{path} names two patients for {image_id}")
    return groups


def assign(
    patients: Sequence[str],
    positive: Sequence[bool],
    num_folds: int,
    test_share: float,
    seed: int,
) -> NDArray[np.int64]:
    """Give each image a fold, 0 to `num_folds` - 1, or TEST; a patient's images stay together.

    Folds keep the share of positives (scikit-learn's StratifiedGroupKFold). The test share is
    taken first: as many of its parts as come nearest to `test_share`.
    Raises ValueError where there are fewer patients than folds.
    """
    groups, labels = np.asarray(patients), np.asarray(positive, np.int64)
    folds = np.full(len(groups), TEST, np.int64)
    remaining = np.arange(len(groups))
    if test_share > 0:
        parts = max(2, round(1 / min(test_share, 1 - test_share)))
        part_of = _split(groups, labels, parts, seed)
        num_taken = round(test_share * parts)
        remaining = np.flatnonzero(part_of >= num_taken)
    folds[remaining] = _split(groups[remaining], labels[remaining], num_folds, seed)
    return folds


def _split(
    groups: NDArray[np.str_], labels: NDArray[np.int64], parts: int, seed: int
) -> NDArray[np.int64]:
    num_patients = len(np.unique(groups))
    if num_patients < parts:
        raise ValueError(
            f"{num_patients} patients can't fill {parts} folds; ask for fewer with --folds"
        )
    # The outcome must not hang on the order in which a file system lists the images.
    order = np.lexsort((labels, groups))
    part_of = np.empty(len(groups), np.int64)
    splitter = StratifiedGroupKFold(n_splits=parts, shuffle=True, random_state=seed)
    splits = splitter.split(order, labels[order], groups[order])
    for part, (_, held_out) in enumerate(splits):
        part_of[order[held_out]] = part
    return part_of
