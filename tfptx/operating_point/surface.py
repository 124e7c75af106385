"""This holds the surface of a grid: what every cell scores, and the cell that is chosen for it.

Both are found for several views at once, each of which leaves some images out: a point can then be
judged on images that it was not chosen on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfptx.operating_point import choice, score
from tfptx.operating_point.cells import Cells, Pixels
from tfptx.operating_point.choice import Criterion, Flags, Floats
from tfptx.operating_point.grid import Index
from tfptx.operating_point.intervals import Bootstrap, Method

_WORTH = "worth"


@dataclass(frozen=True, eq=False)
class Surface:
    """The figures of every cell, in the grid's shape, and its worth by a criterion."""

    figures: dict[str, Floats]
    worth: Floats


class Chosen(NamedTuple):
    """The cell chosen on all images, the plateau that it is the middle of, in the grid's shape.

    `others` are the cells chosen on each further view, None where none is allowed there.
    """

    cell: Index
    plateau: Flags
    others: list[Index | None]


def whole(cells: Cells) -> Surface:
    """What every cell scores on all images."""
    return surfaces(cells, [np.ones(len(cells.images), bool)], Criterion())[0]


def surfaces(cells: Cells, views: Sequence[Flags], criterion: Criterion) -> list[Surface]:
    """What every cell scores on the images of each view, N flags."""
    truth_px = cells.images.truth_px
    names = (*score.FIGURES, _WORTH)
    flat = [{name: np.empty(len(cells.grid)) for name in names} for _ in views]
    for places, predicted, overlap in cells.blocks():
        dice = choice.dice((predicted, overlap), truth_px)
        gains = criterion.gains(dice, predicted, truth_px)
        for view, columns in zip(views, flat, strict=True):
            block = score.figures(dice[view], predicted[view], truth_px[view])
            for name, values in (block | {_WORTH: gains[view].mean(axis=0)}).items():
                columns[name][places] = values
    shaped = (
        {name: values.reshape(cells.grid.shape) for name, values in columns.items()}
        for columns in flat
    )
    return [Surface(worth=columns.pop(_WORTH), figures=columns) for columns in shaped]


def chosen(
    cells: Cells, views: Sequence[Flags], view_surfaces: Sequence[Surface], criterion: Criterion
) -> Chosen:
    """The cell chosen on the first view, and on each other: the middle of the plateau there.

    The plateau is that around the best cell. None stands for another view that has no cell that the
    criterion allows; where the first one, of all images, has none, that raises ValueError.
    """
    allowed = [cells.grid.possible & criterion.allows(surface.figures) for surface in view_surfaces]
    bests = {
        place: choice.best(
            view_surfaces[place].worth, view_surfaces[place].figures["positive_dice"], flags
        )
        for place, flags in enumerate(allowed)
        if place == 0 or flags.any()
    }
    noises = _noises(cells, [views[place] for place in bests], list(bests.values()), criterion)
    plateaus = {}
    for (place, best), noise in zip(bests.items(), noises, strict=True):
        worth = view_surfaces[place].worth
        plateaus[place] = choice.plateau(best, worth[best] - worth, noise, allowed[place])
    middles = {
        place: choice.middle(plateau, view_surfaces[place].worth)
        for place, plateau in plateaus.items()
    }
    others = [middles.get(place) for place in range(1, len(views))]
    return Chosen(middles[0], plateaus[0], others)


def intervals(cells: Cells, drawn: Bootstrap, method: Method) -> tuple[Floats, Floats]:
    """The ends of the interval of every cell's mean Dice, in the grid's shape."""
    ends = np.empty((2, len(cells.grid)))
    for places, predicted, overlap in cells.blocks():
        dice = choice.dice((predicted, overlap), cells.images.truth_px)
        ends[:, places] = drawn.mean(dice).interval(method)
    low, high = ends.reshape(2, *cells.grid.shape)
    return low, high


def _noises(
    cells: Cells, views: Sequence[Flags], bests: Sequence[Index], criterion: Criterion
) -> list[Floats]:
    """The standard error of each cell's paired difference to the best one of a view."""
    truth_px, patient_ids = cells.images.truth_px, cells.images.patient_ids
    drawn = [Bootstrap(patient_ids[view].tolist()) for view in views]

    def gains(predicted: Pixels, overlap: Pixels) -> Floats:
        return criterion.gains(choice.dice((predicted, overlap), truth_px), predicted, truth_px)

    best_gains = {best: gains(*cells.at(best))[:, np.newaxis] for best in set(bests)}
    noises = np.empty((len(views), len(cells.grid)))
    for places, predicted, overlap in cells.blocks():
        block_gains = gains(predicted, overlap)
        for view, best, patients, noise in zip(views, bests, drawn, noises, strict=True):
            behind = best_gains[best][view] - block_gains[view]
            noise[places] = patients.standard_error(behind)
    return list(noises.reshape(-1, *cells.grid.shape))
