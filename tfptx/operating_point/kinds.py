"""This holds the kinds of sweeps: which cells each of them has."""

from collections.abc import Sequence

from tfptx.operating_point.cells import Advance, Cells, ComponentCells, CountCells
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.presence import PresenceCells


def cells(
    several: Sequence[Maps], counted: Sequence[Counts], grid: Grid, advance: Advance
) -> Cells:
    """The cells of a grid on maps with their counts; `advance` hears of what is done again.

    Raises ValueError where the maps lack what the kind asks of them.
    """
    if grid.kind == "components":
        return ComponentCells(several, counted, grid, advance)
    advance(1.0)
    return PresenceCells(counted, grid) if grid.kind == "presence" else CountCells(counted, grid)
