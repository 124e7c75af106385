"""This holds the division of examples into folds, and what is looked for among all of them."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from tfptx.records.entry import OTHER_SIZE_HINT
from tfptx.records.manifest import Summary
from tfptx.scans import folds, image_ids, twins
from tfptx.scans.scan import Scan


def refuse_other_size(summaries: Sequence[Summary], skipped: Sequence[tuple[Path, str]]) -> None:
    """Raise ValueError where more masks leave their images than are used.

    Those that stay within their images would be wrong too.
    """
    misfits = [(path, reason) for path, reason in skipped if reason.endswith(OTHER_SIZE_HINT)]
    num_positive = sum(summary.kind == "positive" for summary in summaries)
    if len(misfits) > num_positive:
        path, reason = misfits[0]
        raise ValueError(
            f"masks that do not fit their images: {len(misfits)}, that do: {num_positive}. "
            f"{image_ids.of_file(path)}: {reason}"
        )


def marked_twins(summaries: Sequence[Summary], scan_of: Callable[[int], Scan]) -> list[Summary]:
    """The summaries, each with the first example of the same pixels where that is another.

    `scan_of` gives the scan of the example at a position.
    """
    first_of = twins.find([summary.sample for summary in summaries], scan_of)
    return [
        dataclasses.replace(
            summary, same_pixels_as="" if first == position else summaries[first].image_id
        )
        for position, (summary, first) in enumerate(zip(summaries, first_of, strict=True))
    ]


def draw(summaries: Sequence[Summary], num_folds: int, test_share: float, seed: int) -> list[int]:
    """The fold of each example, or TEST; patients stay together, and so do equal images.

    Raises ValueError as `folds.assign` does.
    """
    position_of = {summary.image_id: position for position, summary in enumerate(summaries)}
    groups = folds.together(
        [summary.patient_id for summary in summaries],
        [position_of[summary.same_pixels_as or summary.image_id] for summary in summaries],
    )
    strata = folds.strata([summary.mask_share for summary in summaries], num_folds)
    return [int(fold) for fold in folds.assign(groups, strata, num_folds, test_share, seed)]
