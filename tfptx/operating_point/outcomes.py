"""This holds the outcomes: what an operating point makes of each image, one row each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.operating_point import boundary, grid, kinds, rule, score
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.boundary import Distances
from tfptx.operating_point.cells import Advance, part_of
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.tables import Point

_KEPT = (
    *("image_id", "patient_id", "fold", "rows", "columns"),
    *maps_on_disk.SUBGROUP_TEXTS,
    *maps_on_disk.SUBGROUP_NUMBERS,
)
_OF_COUNTS = 0.5  # of the work, as progress is told; the rest is that of outlines


def table(
    several: Sequence[Maps], counted: Sequence[Counts], point: Point, advance: Advance
) -> pd.DataFrame:
    """What a point makes of the images of maps that are taken as one.

    Beside the columns of `of_counts` stand the measures of `boundary.Distances`, NaN too where the
    counts alone were kept.
    """
    images = of_counts(several, counted, point, part_of(advance, _OF_COUNTS))
    has_outlines = ((images["predicted_px"] > 0) & (images["truth_px"] > 0)).to_numpy()
    outlines = pd.DataFrame(
        _outlines(several, point, has_outlines, part_of(advance, 1 - _OF_COUNTS))
    )
    return pd.concat([images, outlines], axis=1)


def of_counts(
    several: Sequence[Maps], counted: Sequence[Counts], point: Point, advance: Advance
) -> pd.DataFrame:
    """What a point makes of images as far as it is quickly told.

    Beside the columns of the maps' index stand the pixels `truth_px`, `predicted_px` and
    `overlap_px`, `dice`, `image_score`, the largest probability of the image whatever else the
    point asks, and the `presence` where a network says so.
    """
    cells = kinds.cells(several, counted, grid.of_cell(point.cell, point.size_px), advance)
    predicted, overlap = cells.at((0,) * len(point.cell))
    truth = cells.images.truth_px
    index = pd.concat([each.index[list(_KEPT)] for each in several], ignore_index=True)
    columns: dict[str, Any] = {
        "truth_px": truth,
        "predicted_px": predicted,
        "overlap_px": overlap,
        "dice": score.dice_of_counts(overlap, predicted, truth),
        "image_score": np.concatenate([_scores(each) for each in counted]),
        "presence": np.concatenate([each.presence for each in counted]),
    }
    return pd.concat([index, pd.DataFrame(columns)], axis=1)


def _scores(counted: Counts) -> Any:
    """The largest level of each image as a probability."""
    highest = [np.flatnonzero(entry[0])[-1] for entry in counted.levels_px]
    return np.array(highest) / rule.LEVELS


def _outlines(
    several: Sequence[Maps], point: Point, has_outlines: NDArray[np.bool_], advance: Advance
) -> list[Distances]:
    places = [(maps, position) for maps in several for position in range(len(maps))]
    measured = []
    for (maps, position), is_measured in zip(places, has_outlines, strict=True):
        spacing_mm = maps.index["spacing_mm"].iloc[position]
        if is_measured and maps.flat_levels is not None:
            mask = rule.mask_of_levels(maps.levels(position), point.rule, maps.presence[position])
            measured.append(boundary.distances(mask, maps.truth(position), spacing_mm))
        else:
            measured.append(Distances(np.nan, np.nan))
        advance(1 / len(places))
    return measured
