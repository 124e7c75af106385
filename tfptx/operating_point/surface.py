"""This holds the surface of a grid: what every cell scores, and the cell that is chosen for it.

Both are found for several views at once, each of which leaves some images out: a point can then be
judged on images that it was not chosen on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfptx.operating_point import choice, score
from tfptx.operating_point.cells import Cells, Pixels
from tfptx.operating_point.choice import Criterion, Flags, Floats
from tfptx.operating_point.grid import Index
from tfptx.operating_point.intervals import Bootstrap, Method


@dataclass(frozen=True, eq=False)
class Surface:
    """The figures of every cell, in the grid's shape, and its worth by a criterion."""

    figures: dict[str, Floats]
    worth: Floats


def whole(cells: Cells) -> Surface:
    """What every cell scores on all images."""
    return surfaces(cells, [np.ones(len(cells.images), bool)], Criterion())[0]


def surfaces(cells: Cells, views: Sequence[Flags], criterion: Criterion) -> list[Surface]:
    """What every cell scores on the images of each view, N flags."""
    truth_px = cells.images.truth_px
    figures: list[list[dict[str, Floats]]] = [[] for _ in views]
    worths: list[list[Floats]] = [[] for _ in views]
    for predicted, overlap in cells.blocks():
        dice = choice.dice((predicted, overlap), truth_px)
        gains = criterion.gains(dice, predicted, truth_px)
        for view, found, worth in zip(views, figures, worths, strict=True):
            found.append(score.figures(dice[view], predicted[view], truth_px[view]))
            worth.append(gains[view].mean(axis=0))
    return [
        Surface(
            {name: np.concatenate([block[name] for block in found]) for name in score.FIGURES},
            np.concatenate(worth),
        )
        for found, worth in zip(figures, worths, strict=True)
    ]


def chosen(
    cells: Cells, views: Sequence[Flags], found: Sequence[Surface], criterion: Criterion
) -> tuple[Index, list[Index | None]]:
    """The cell chosen on the first view, and on each other: the middle of the plateau there.

    The plateau is that around the best cell. None stands for another view that has no cell that the
    criterion allows; where the first one, of all images, has none, that raises ValueError.
    """
    allowed = [cells.grid.possible & criterion.allows(surface.figures) for surface in found]
    bests = {
        place: choice.best(found[place].worth, found[place].figures["positive_dice"], flags)
        for place, flags in enumerate(allowed)
        if place == 0 or flags.any()
    }
    noises = _noises(cells, [views[place] for place in bests], list(bests.values()), criterion)
    middles = {}
    for (place, best), noise in zip(bests.items(), noises, strict=True):
        worth = found[place].worth
        plateau = choice.plateau(best, worth[best] - worth, noise, allowed[place])
        middles[place] = choice.middle(plateau, worth)
    return middles[0], [middles.get(place) for place in range(1, len(views))]


def intervals(cells: Cells, drawn: Bootstrap, method: Method) -> tuple[Floats, Floats]:
    """The ends of the interval of every cell's mean Dice, in the grid's shape."""
    truth_px = cells.images.truth_px
    ends = [drawn.mean(choice.dice(block, truth_px)).interval(method) for block in cells.blocks()]
    low, high = (np.concatenate(each) for each in zip(*ends, strict=True))
    return low, high


def _noises(
    cells: Cells, views: Sequence[Flags], bests: Sequence[Index], criterion: Criterion
) -> list[Floats]:
    """The standard error of each cell's paired difference to the best one of a view."""
    truth_px, patient_ids = cells.images.truth_px, cells.images.patient_ids
    drawn = [Bootstrap(patient_ids[view].tolist()) for view in views]

    def gains(block: tuple[Pixels, Pixels]) -> Floats:
        return criterion.gains(choice.dice(block, truth_px), block[0], truth_px)

    best_gains = {best: gains(cells.at(best)) for best in set(bests)}
    noises: list[list[Floats]] = [[] for _ in views]
    for block in cells.blocks():
        found = gains(block)
        for view, best, patients, noise in zip(views, bests, drawn, noises, strict=True):
            reference = best_gains[best].reshape(-1, *[1] * (found.ndim - 1))
            noise.append(patients.standard_error((reference - found)[view]))
    return [np.concatenate(noise) for noise in noises]
