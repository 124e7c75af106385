"""This holds the division of entries into folds, and the finding of equal images among them."""

import dataclasses

from tfptx.records.examination import Entry
from tfptx.scans import folds, twins


def marked_twins(entries: list[Entry]) -> list[Entry]:
    """The entries, each with the id of an earlier one that has the same pixels, if any."""
    first_of = twins.find([entry.path for entry in entries], [entry.scan for entry in entries])
    return [
        dataclasses.replace(
            entry, same_pixels_as=entries[first].scan.image_id if first != position else ""
        )
        for position, (entry, first) in enumerate(zip(entries, first_of, strict=True))
    ]


def draw(entries: list[Entry], num_folds: int, test_share: float, seed: int) -> list[int]:
    """The fold of each entry, or TEST; patients stay together, and so do equal images.

    Raises ValueError as `folds.assign` does.
    """
    position_of = {entry.scan.image_id: position for position, entry in enumerate(entries)}
    groups = folds.together(
        [entry.scan.patient_id for entry in entries],
        [position_of[entry.same_pixels_as or entry.scan.image_id] for entry in entries],
    )
    shares = [
        entry.mask.num_pixels / (entry.mask.rows * entry.mask.columns) if entry.mask else 0.0
        for entry in entries
    ]
    strata = folds.strata(shares, num_folds)
    drawn = folds.assign(groups, strata, num_folds, test_share, seed)
    return [int(fold) for fold in drawn]
