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
) -> list[Index]:
    """The cell chosen on each view: the middle of the plateau around the best one.

    Raises ValueError where a view has no cell that the criterion allows.
    """
    allowed = [cells.grid.possible & criterion.allows(surface.figures) for surface in found]
    bests = [
        choice.best(surface.worth, surface.figures["positive_dice"], flags)
        for surface, flags in zip(found, allowed, strict=True)
    ]
    plateaus = [
        choice.plateau(best, surface.worth[best] - surface.worth, noise, flags)
        for best, surface, noise, flags in zip(
            bests, found, _noises(cells, views, bests, criterion), allowed, strict=True
        )
    ]
    return [
        choice.middle(plateau, surface.worth)
        for plateau, surface in zip(plateaus, found, strict=True)
    ]


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
