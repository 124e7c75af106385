"""This holds the division of images into folds and a test share, by patient."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx.scans import image_ids
from tfptx.scans.csv_files import read_columns

TEST = -1  # the fold number of images set aside for the test
MAX_PARTS = 20
NUM_SIZES = 3  # small, medium and large masks


def read_groups(path: Path) -> dict[str, str]:
    """Read image ids and patients from the first two columns of a csv.

    An NIH file name `<patient>_<follow-up>.png` in the second column counts as its patient.
    Raises ValueError where there are no two columns or an id stands with two patients.
    """
    table = read_columns(path, ())
    if len(table.columns) < 2:
        raise ValueError(f"{path} needs two columns: image id and patient")
    groups: dict[str, str] = {}
    for cell, name in zip(table.iloc[:, 0], table.iloc[:, 1], strict=True):
        image_id = image_ids.of(cell)
        patient = name.partition("_")[0] if name.endswith(".png") else name
        if groups.setdefault(image_id, patient) != patient:
            raise ValueError(f"{path} names two patients for {image_id}")
    return groups


def together(patients: Sequence[str], first_of: Sequence[int]) -> list[str]:
    """Give each image a group: its patient's, or that of patients who share an image with them.

    `first_of` is what `twins.find` gives. A group is called by the first of its patients by name.
    """
    leader = {patient: patient for patient in patients}

    def top(patient: str) -> str:
        while leader[patient] != patient:
            # Each step halves the way for those that come after.
            leader[patient] = patient = leader[leader[patient]]
        return patient

    for position, first in enumerate(first_of):
        one, other = sorted((top(patients[position]), top(patients[first])))
        leader[other] = one
    return [top(patient) for patient in patients]


def strata(mask_shares: Sequence[float], num_folds: int) -> list[int]:
    """Give each image a stratum: 0 where the mask is empty, else 1 to NUM_SIZES by its size.

    A mask's size is its share of the image; the strata are quantiles, fewer of them where not each
    would have a mask for every fold.
    """
    shares = np.asarray(mask_shares, np.float64)
    positive = shares[shares > 0]
    num_sizes = max(1, min(NUM_SIZES, len(positive) // num_folds))
    if not len(positive):
        return [0] * len(shares)
    edges = np.quantile(positive, np.arange(1, num_sizes) / num_sizes)
    sizes = 1 + np.searchsorted(edges, shares, side="left")
    return [int(stratum) for stratum in np.where(shares > 0, sizes, 0)]


def assign(
    patients: Sequence[str],
    strata: Sequence[int],
    num_folds: int,
    test_share: float,
    seed: int,
) -> NDArray[np.int64]:
    """Give each image a fold, 0 to `num_folds` - 1, or TEST; a patient's images stay together.

    Folds keep the shares of the strata (scikit-learn's StratifiedGroupKFold). The test share is
    taken first: of 2 to MAX_PARTS such parts as many as come nearest to `test_share`, at least one.
    Raises ValueError where there are fewer patients than folds.
    """
    groups, labels = np.asarray(patients), np.asarray(strata, np.int64)
    folds = np.full(len(groups), TEST, np.int64)
    remaining = np.arange(len(groups))
    if test_share > 0:
        # More parts than images of the commoner label can't be stratified.
        most = min(MAX_PARTS, len(np.unique(groups)), np.bincount(labels, minlength=1).max())
        num_taken, parts = _nearest_fraction(test_share, most)
        part_of = _split(groups, labels, parts, seed)
        remaining = np.flatnonzero(part_of >= num_taken)
    folds[remaining] = _split(groups[remaining], labels[remaining], num_folds, seed)
    return folds


def _nearest_fraction(share: float, most: int) -> tuple[int, int]:
    """Numerator and the smallest denominator, 2 to `most`, of what comes nearest to a share."""
    fractions = [
        (min(max(1, round(share * parts)), parts - 1), parts)
        for parts in range(2, max(most, 2) + 1)
    ]
    return min(fractions, key=lambda fraction: abs(fraction[0] / fraction[1] - share))


def _split(
    groups: NDArray[np.str_], labels: NDArray[np.int64], parts: int, seed: int
) -> NDArray[np.int64]:
    # It takes a second to import, and who asks for TEST alone has no need of it.
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    num_patients = len(np.unique(groups))
    if num_patients < parts:
        raise ValueError(
            f"{num_patients} patients can't fill {parts} folds; ask for fewer with --folds, or, if "
            "the images do not tell their patients, name these with --groups"
        )
    most_of_a_kind = int(np.bincount(labels).max())
    if most_of_a_kind < parts:
        raise ValueError(
            f"{len(labels)} images, {most_of_a_kind} at most of a kind, can't fill {parts} folds; "
            "ask for fewer with --folds or a smaller --test-share"
        )
    # The outcome must not hang on the order in which a file system lists the images.
    order = np.lexsort((labels, groups))
    part_of = np.empty(len(groups), np.int64)
    splitter = StratifiedGroupKFold(n_splits=parts, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Folds without a positive are what so few positives allow.
        warnings.filterwarnings("ignore", "The least populated class in y", UserWarning)
        splits = list(splitter.split(order, labels[order], groups[order]))
    for part, (_, held_out) in enumerate(splits):
        part_of[order[held_out]] = part
    return part_of
