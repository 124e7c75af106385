"""This holds the sweep: what every cell of a grid scores on maps, and the point that is chosen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfptx import provenance
from tfptx.operating_point import cells as grid_cells
from tfptx.operating_point import choice, counts, estimates, maps, nested, score, surface
from tfptx.operating_point.cells import Advance, Cells, CountCells, part_of
from tfptx.operating_point.choice import Criterion, Floats
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid, Kind, of_cell
from tfptx.operating_point.intervals import NUM_RESAMPLES, Bootstrap, Method
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.nested import Nested
from tfptx.operating_point.surface import Surface
from tfptx.operating_point.tables import Point, Sweep

# Where maps are of many sizes, pixels are those of the competition's masks.
ANNOTATION_PX = 1024
# The shares of the work that progress is told by.
_OF_COUNTS, _OF_MAPS, _OF_CELLS = 0.4, 0.4, 0.2


@dataclass(frozen=True)
class Options:
    """How a sweep chooses its point, and how it draws the intervals."""

    criterion: Criterion = field(default_factory=Criterion)
    method: Method = "bca"
    num_resamples: int = NUM_RESAMPLES
    seed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """What a point scores on maps, beside the figures of predicting nothing."""

    figures: dict[str, float]
    all_empty: dict[str, float]
    num_images: int
    chosen_on_these_maps: bool | None  # None where the point does not say on which it was


def run(
    kind: Kind,
    axes: dict[str, tuple[Any, ...]],
    folders: Sequence[Path],
    size_px: int | None,
    advance: Advance,
    options: Options | None = None,
) -> Sweep:
    """Sweep a grid over folders of maps, taken as one, and choose a point.

    `axes` are those of `grid.AXES`; their pixels are of an image of `size_px` squared, where None
    is the side of the maps if all are square and alike, ANNOTATION_PX else. `advance` is called
    with each finished share.
    Raises ValueError where maps have no truth or don't belong together, or no cell is allowed.
    """
    options = options or Options()
    several = maps.read_several(folders)
    grid = Grid(kind, axes, size_px or _side_px(several))
    counted = count(several, part_of(advance, _OF_COUNTS))
    cells = grid_cells.of(several, counted, grid, part_of(advance, _OF_MAPS))
    patient_ids = cells.images.patient_ids.tolist()
    parts = nested.parts(cells.images, options.seed)
    views = [np.ones(len(cells.images), bool), *nested.views(parts)]
    found = surface.surfaces(cells, views, options.criterion)
    indices = surface.chosen(cells, views, found, options.criterion)
    drawn = Bootstrap(patient_ids, options.num_resamples, options.seed)
    low, high = surface.intervals(cells, drawn, options.method)
    whole, index = found[0], indices[0]
    judged = nested.judge(cells, parts, indices[1:], found[1:]) if len(views) > 1 else None
    advance(_OF_CELLS)
    figures = {name: float(values[index]) for name, values in whole.figures.items()}
    nothing = all_empty(counted)
    point = Point(
        kind=kind,
        **grid.cell(index),
        size_px=grid.size_px,
        **_belonging(several, counted),
        mean_dice=figures["mean_dice"],
        low=float(low[index]),
        high=float(high[index]),
        **({} if judged is None else _nested_scores(judged, drawn, options.method)),
        positive_dice=None if np.isnan(figures["positive_dice"]) else figures["positive_dice"],
        all_empty_dice=nothing["mean_dice"],
    )
    return Sweep(
        kind=kind,
        results=_table(grid, whole, low=low, high=high),
        figures=figures,
        all_empty=nothing,
        point=point,
        grid=grid,
        choices=pd.DataFrame([] if judged is None else judged.choices),
        settings=asdict(options),
        sources=_sources(several, counted),
    )


def evaluate(folders: Sequence[Path], point: Point, advance: Advance) -> Evaluation:
    """What a point scores on folders of maps, taken as one. Raises ValueError as `run` does."""
    several = maps.read_several(folders)
    counted = count(several, part_of(advance, _OF_COUNTS))
    grid = of_cell(point.cell, point.size_px)
    cells = grid_cells.of(several, counted, grid, part_of(advance, 1 - _OF_COUNTS))
    figures = _whole(cells).figures
    return Evaluation(
        figures={name: float(figures[name].item()) for name in score.FIGURES},
        all_empty=all_empty(counted),
        num_images=len(cells.images),
        chosen_on_these_maps=is_chosen_on(point, several, counted),
    )


def is_chosen_on(point: Point, several: Sequence[Maps], counted: Sequence[Counts]) -> bool | None:
    """Whether a point was chosen on these very maps, None where it does not say on which."""
    return None if point.maps is None else point.maps == _fingerprint(several, counted)


def table(counted: Sequence[Counts], grid: Grid) -> pd.DataFrame:
    """What each cell of a grid of pairs or triplets scores: its values, and `score.FIGURES`.

    One row a cell, the first axis outermost; equal to scoring the masks of `rule.mask_of_levels`.
    """
    return _table(grid, _whole(CountCells(counted, grid)))


def best(counted: Sequence[Counts], grid: Grid) -> dict[str, float]:
    """The values and figures of the cell with the best mean Dice, ties by that on positives."""
    whole = _whole(CountCells(counted, grid))
    index = choice.best(whole.worth, whole.figures["positive_dice"], grid.possible)
    return grid.cell(index) | {name: float(whole.figures[name][index]) for name in score.FIGURES}


def all_empty(counted: Sequence[Counts]) -> dict[str, float]:
    """The figures of predicting nothing on these images."""
    truth_px = grid_cells.images(counted).truth_px
    return {name: float(value) for name, value in score.all_empty(truth_px).items()}


def _whole(cells: Cells) -> Surface:
    return surface.surfaces(cells, [np.ones(len(cells.images), bool)], Criterion())[0]


def _table(grid: Grid, whole: Surface, **ends: Floats) -> pd.DataFrame:
    columns = grid.columns() | {
        name: values.ravel() for name, values in (whole.figures | ends).items()
    }
    return pd.DataFrame(columns)[grid.possible.ravel()].reset_index(drop=True)


def count(several: Sequence[Maps], advance: Advance) -> list[Counts]:
    """The counts of maps that are taken as one."""
    total = sum(map(len, several))
    return [counts.of(each, part_of(advance, len(each) / total)) for each in several]


def _belonging(several: Sequence[Maps], counted: Sequence[Counts]) -> dict[str, Any]:
    """What a point that is chosen on these maps belongs to."""
    source = several[0].source
    return {
        "runs": tuple(sorted({run for each in several for run in each.source["runs"]})),
        "stage": source["stage"],
        "flip": source["flip"],
        "maps": _fingerprint(several, counted),
        "num_images": sum(map(len, several)),
    }


def _nested_scores(judged: Nested, drawn: Bootstrap, method: Method) -> dict[str, float]:
    found = estimates.estimate(drawn.mean(judged.dice), method)
    return {
        "nested_mean_dice": found.value,
        "nested_low": found.low,
        "nested_high": found.high,
    }


def _sources(several: Sequence[Maps], counted: Sequence[Counts]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "folder": str(each.folder.resolve()),
            "fingerprint": counts.fingerprint(each, made),
            "num_images": len(made),
        }
        for each, made in zip(several, counted, strict=True)
    )


def _fingerprint(several: Sequence[Maps], counted: Sequence[Counts]) -> str:
    """The fingerprint of maps that are taken as one, in any order."""
    each = [counts.fingerprint(*pair) for pair in zip(several, counted, strict=True)]
    return each[0] if len(each) == 1 else provenance.fingerprint(sorted(each))


def _side_px(several: Sequence[Maps]) -> int:
    sides = np.unique(np.concatenate([[*each.rows, *each.columns] for each in several]))
    return int(sides[0]) if len(sides) == 1 else ANNOTATION_PX
