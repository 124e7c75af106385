"""This holds the sweep: what every cell of a grid scores on maps, from their counts alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.operating_point import counts, maps, rule, score
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.tables import Kind, Point, Sweep

# Where maps are of many sizes, pixels are those of the competition's masks.
ANNOTATION_PX = 1024
# Equal means, summed in another order, may differ in their last bits.
_TIE = 1e-12


@dataclass(frozen=True)
class Evaluation:
    """What a point scores on maps, beside the figures of predicting nothing."""

    figures: dict[str, float]
    all_empty: dict[str, float]
    num_images: int
    chosen_on_these_maps: bool | None  # None where the point does not say on which it was


def run(
    kind: Kind,
    folders: Sequence[Path],
    thresholds: tuple[float, ...],
    min_pixels: tuple[int, ...],
    size_px: int | None,
    advance: Callable[[float], None],
) -> Sweep:
    """Sweep a grid over folders of maps, taken as one, and choose a point.

    `min_pixels` are those of an image of `size_px` squared; None is the side of the maps where all
    are square and alike, ANNOTATION_PX else. `advance` is called with each finished share.
    Raises ValueError where maps have no truth or don't belong together.
    """
    several = maps.read_several(folders)
    counted = _count(several, advance)
    grid = Grid(thresholds, min_pixels, size_px or _side_px(several))
    results = table(counted, grid)
    best = choose(results)
    figures = {name: float(best[name]) for name in score.FIGURES}
    nothing = all_empty(counted)
    point = Point(
        kind=kind,
        threshold=best["threshold"],
        min_pixels=int(best["min_pixels"]),
        size_px=grid.size_px,
        runs=tuple(sorted({run for each in several for run in each.source["runs"]})),
        stage=several[0].source["stage"],
        flip=several[0].source["flip"],
        maps=_fingerprint(counted),
        mean_dice=figures["mean_dice"],
        positive_dice=None if np.isnan(figures["positive_dice"]) else figures["positive_dice"],
        all_empty_dice=nothing["mean_dice"],
        num_images=sum(map(len, counted)),
    )
    sources = tuple(
        {
            "folder": str(each.folder.resolve()),
            "fingerprint": made.fingerprint,
            "num_images": len(made),
        }
        for each, made in zip(several, counted, strict=True)
    )
    return Sweep(kind, results, figures, nothing, point, grid, sources)


def evaluate(folders: Sequence[Path], point: Point, advance: Callable[[float], None]) -> Evaluation:
    """What a point scores on folders of maps, taken as one. Raises ValueError as `run` does."""
    counted = _count(maps.read_several(folders), advance)
    cell = table(counted, Grid((point.threshold,), (point.min_pixels,), point.size_px))
    return Evaluation(
        figures={name: float(cell[name].iloc[0]) for name in score.FIGURES},
        all_empty=all_empty(counted),
        num_images=sum(map(len, counted)),
        chosen_on_these_maps=None if point.maps is None else point.maps == _fingerprint(counted),
    )


def table(counted: Sequence[Counts], grid: Grid) -> pd.DataFrame:
    """What each cell scores: threshold, min_pixels and the columns of `score.figures`.

    One row a cell, thresholds outermost; equal to scoring the masks of `rule.mask_of_levels`.
    """
    levels = [rule.level_of(threshold) for threshold in grid.thresholds]
    predicted_px = np.concatenate([_reached(each.all_px, levels) for each in counted])
    overlap_px = np.concatenate([_reached(each.true_px, levels) for each in counted])
    truth_px = _truth_px(counted)
    rows = np.concatenate([each.rows for each in counted])[:, np.newaxis]
    columns = np.concatenate([each.columns for each in counted])[:, np.newaxis]
    blocks = []
    # A block, images x sizes, for each threshold: all cells at once would not fit for a fine grid.
    for i in range(len(levels)):
        predicted, overlap = predicted_px[:, [i]], overlap_px[:, [i]]
        is_kept = rule.is_large_enough(predicted, grid.min_pixels, grid.size_px, rows, columns)
        predicted, overlap = predicted * is_kept, overlap * is_kept
        dice = score.dice_of_counts(overlap, predicted, truth_px[:, np.newaxis])
        blocks.append(score.figures(dice, predicted, truth_px))
    cells = {
        "threshold": np.repeat(grid.thresholds, len(grid.min_pixels)),
        "min_pixels": np.tile(grid.min_pixels, len(levels)),
    }
    figures = {name: np.concatenate([block[name] for block in blocks]) for name in score.FIGURES}
    return pd.DataFrame(cells | figures)


def choose(results: pd.DataFrame) -> "pd.Series[float]":
    """The cell of a table with the best mean Dice.

    A tie goes to the best Dice on positives, and then to the cell in the middle: its neighbours
    score the same, so it stands farthest from where the score falls.
    """
    tie = results
    for name in ("mean_dice", "positive_dice"):
        # Without a positive image that Dice is NaN in every cell.
        figure = tie[name].fillna(0.0)
        tie = tie[figure >= figure.max() - _TIE]
    for name in ("threshold", "min_pixels"):
        distinct = np.unique(tie[name])
        tie = tie[tie[name] == distinct[(len(distinct) - 1) // 2]]
    return tie.iloc[0]


def all_empty(counted: Sequence[Counts]) -> dict[str, float]:
    """The figures of predicting nothing on these images."""
    return {name: float(value) for name, value in score.all_empty(_truth_px(counted)).items()}


def _count(several: Sequence[Maps], advance: Callable[[float], None]) -> list[Counts]:
    total = sum(map(len, several))
    return [counts.of(each, _part_of(advance, len(each) / total)) for each in several]


def _part_of(advance: Callable[[float], None], part: float) -> Callable[[float], None]:
    return lambda share: advance(share * part)


def _reached(histograms: NDArray[np.uint32], levels: Sequence[int]) -> NDArray[np.int64]:
    """The pixels, images x levels, that reach each level."""
    distinct, places = np.unique(levels, return_inverse=True)
    between = np.add.reduceat(histograms, distinct, axis=1, dtype=np.int64)
    return between[:, ::-1].cumsum(axis=1)[:, ::-1][:, places]


def _truth_px(counted: Sequence[Counts]) -> NDArray[np.int64]:
    return np.concatenate([each.true_px.sum(axis=1, dtype=np.int64) for each in counted])


def _fingerprint(counted: Sequence[Counts]) -> str:
    """The fingerprint of maps that are taken as one, in any order."""
    if len(counted) == 1:
        return counted[0].fingerprint
    return provenance.fingerprint(sorted(each.fingerprint for each in counted))


def _side_px(several: Sequence[Maps]) -> int:
    sides = np.unique(np.concatenate([[*each.rows, *each.columns] for each in several]))
    return int(sides[0]) if len(sides) == 1 else ANNOTATION_PX
