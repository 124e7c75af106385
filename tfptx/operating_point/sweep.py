"""This holds the sweep: what every cell of a grid scores on maps, and the point that is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx.operating_point import choice, counts, estimates, kinds, maps, nested, score, surface
from tfptx.operating_point.cells import Advance, CountCells, Images, part_of
from tfptx.operating_point.choice import Criterion, Floats
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid, Kind
from tfptx.operating_point.intervals import Bootstrap, Draws, Method
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.nested import Nested
from tfptx.operating_point.surface import Surface
from tfptx.operating_point.tables import Origin, Point, Sweep
from tfptx.scans.folds import TEST

# Where maps are of many sizes, pixels are those of the competition's masks.
ANNOTATION_PX = 1024
# The shares of the work that progress is told by.
_OF_COUNTS, _OF_MAPS, _OF_CELLS = 0.4, 0.4, 0.2


@dataclass(frozen=True)
class Options(Draws):
    """How a sweep chooses its point, and how it draws the intervals."""

    criterion: Criterion = field(default_factory=Criterion)


def run(
    kind: Kind,
    axes: dict[str, tuple[Any, ...]],
    folders: Sequence[Path],
    size_px: int | None,
    advance: Advance,
    options: Options | None = None,
    check: Callable[[Origin], object] = lambda origin: None,
) -> Sweep:
    """Sweep a grid over folders of maps, taken as one, and choose a point.

    `axes` are those of `grid.AXES`; their pixels are of an image of `size_px` squared, where None
    is the side of the maps if all are square and alike, ANNOTATION_PX else. `advance` is called
    with each finished share. `check` is given the origin as soon as the maps are counted, to refuse
    a sweep before its work.
    Raises ValueError where maps have no truth, don't belong together or are of the test share, or
    no cell is a rule or allowed.
    """
    options = options or Options()
    several = maps.read_several(folders)
    _refuse_test_share(several)
    grid = Grid(kind, axes, size_px or _side_px(several))
    _refuse_no_rule(grid)
    counted = count(several, part_of(advance, _OF_COUNTS))
    fingerprints = counts.fingerprints(several, counted)
    origin = Origin(grid, asdict(options), _sources(several, fingerprints))
    check(origin)
    cells = kinds.cells(several, counted, grid, part_of(advance, _OF_MAPS))
    parts = nested.parts(cells.images, options.seed)
    views = [np.ones(len(cells.images), bool), *nested.views(parts)]
    surfaces = surface.surfaces(cells, views, options.criterion)
    chosen = surface.chosen(cells, views, surfaces, options.criterion)
    index = chosen.cell
    drawn = Bootstrap(cells.images.patient_ids.tolist(), options.num_resamples, options.seed)
    low, high = surface.intervals(cells, drawn, options.method)
    whole, *others = surfaces
    judged = nested.judge(cells, parts, chosen.others, others) if others else Nested([], None)
    advance(_OF_CELLS)
    figures = {name: float(values[index]) for name, values in whole.figures.items()}
    nothing = _all_empty(cells.images)
    point = Point(
        kind=kind,
        **grid.cell(index),
        size_px=grid.size_px,
        **_belonging(several, fingerprints),
        mean_dice=figures["mean_dice"],
        low=_known(low[index]),
        high=_known(high[index]),
        **({} if judged.dice is None else _nested_scores(judged.dice, drawn, options.method)),
        positive_dice=_known(figures["positive_dice"]),
        all_empty_dice=nothing["mean_dice"],
    )
    return Sweep(
        origin=origin,
        results=_table(grid, whole, low=low, high=high, on_plateau=chosen.plateau),
        figures=figures,
        all_empty=nothing,
        cost=None if options.criterion.cost_of_miss is None else -float(whole.worth[index]),
        point=point,
        choices=pd.DataFrame(judged.choices),
        nested_dice=judged.dice,
    )


def best(counted: Sequence[Counts], grid: Grid) -> dict[str, float]:
    """The values and figures of the cell with the best mean Dice, ties by that on positives."""
    whole = surface.whole(CountCells(counted, grid))
    index = choice.best(whole.worth, whole.figures["positive_dice"], grid.possible)
    return grid.cell(index) | {name: float(whole.figures[name][index]) for name in score.FIGURES}


def _refuse_test_share(several: Sequence[Maps]) -> None:
    for each in several:
        num_set_aside = int((each.index["fold"] == TEST).sum())
        if num_set_aside:
            raise ValueError(
                f"{each.folder}: {num_set_aside} of {len(each)} images are of the test share, "
                "which judges points and chooses none; sweep the maps of folds, and judge their "
                "point on these with tfptx evaluate"
            )


def _refuse_no_rule(grid: Grid) -> None:
    if not grid.possible.any():
        top, bottom = max(grid.axes["top_threshold"]), min(grid.axes["bottom_threshold"])
        raise ValueError(
            f"no cell is a rule: the top threshold is at most {top:g}, the bottom one at least "
            f"{bottom:g}, and the top one is never the lower; raise --top-thresholds or lower "
            "--bottom-thresholds"
        )


def _all_empty(images: Images) -> dict[str, float]:
    return {name: float(value) for name, value in score.all_empty(images.truth_px).items()}


def _table(grid: Grid, whole: Surface, **more: NDArray[Any]) -> pd.DataFrame:
    """One row a cell that is a rule, the first axis outermost: its values, figures and `more`."""
    columns = grid.columns() | {
        name: values.ravel() for name, values in (whole.figures | more).items()
    }
    return pd.DataFrame(columns)[grid.possible.ravel()].reset_index(drop=True)


def count(several: Sequence[Maps], advance: Advance) -> list[Counts]:
    """The counts of maps that are taken as one."""
    total = sum(map(len, several))
    return [counts.of(each, part_of(advance, len(each) / total)) for each in several]


def _belonging(several: Sequence[Maps], fingerprints: Sequence[str]) -> dict[str, Any]:
    """What a point that is chosen on these maps belongs to."""
    source = several[0].source
    return {
        "runs": tuple(sorted({run for each in several for run in each.source["runs"]})),
        "stage": source["stage"],
        **{name: source[name] for name in ("flip", "fused", "overlap")},
        "maps": counts.joined_fingerprint(fingerprints),
        "num_images": sum(map(len, several)),
    }


def _known(value: float) -> float | None:
    """A figure as a point has it: None, not NaN, where no image bears on it."""
    return None if np.isnan(value) else float(value)


def _nested_scores(dice: Floats, drawn: Bootstrap, method: Method) -> dict[str, float]:
    nested_score = estimates.estimate(drawn.mean(dice), method)
    return {
        "nested_mean_dice": nested_score.value,
        "nested_low": nested_score.low,
        "nested_high": nested_score.high,
    }


def _sources(several: Sequence[Maps], fingerprints: Sequence[str]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "folder": str(each.folder.resolve()),
            "fingerprint": fingerprint,
            "num_images": len(each),
        }
        for each, fingerprint in zip(several, fingerprints, strict=True)
    )


def _side_px(several: Sequence[Maps]) -> int:
    sides = np.unique(np.concatenate([[*each.rows, *each.columns] for each in several]))
    return int(sides[0]) if len(sides) == 1 else ANNOTATION_PX
