"""This holds the pixels of every image in every cell of a grid, from which all figures follow."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.operating_point import components, counts, image_table, rule
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid, Index, rule_of
from tfptx.operating_point.image_table import Numbers
from tfptx.operating_point.maps import Maps

Pixels = NDArray[np.int64]
Advance = Callable[[float], None]

_IMAGES = 256  # read from the counts at a time
_LEVELS = 512  # whose pixels in all images are in memory at a time
_CELLS = 256  # of a block


@dataclass(frozen=True, eq=False)
class Images:
    """N images: their sizes, true pixels, patients and folds."""

    rows: Pixels
    columns: Pixels
    truth_px: Pixels
    patient_ids: NDArray[np.str_]
    folds: Pixels

    def __len__(self) -> int:
        return len(self.rows)

    def least_pixels(self, sizes_px: Sequence[int], size_px: int) -> Pixels:
        """What pixels of an image of `size_px` squared are in each of these: N x sizes."""
        rows, columns = self.rows[:, np.newaxis], self.columns[:, np.newaxis]
        return rule.least_pixels(sizes_px, size_px, rows, columns)


def images(counted: Sequence[Counts]) -> Images:
    """The images of counts that are taken as one."""
    return Images(
        rows=np.concatenate([each.rows for each in counted]),
        columns=np.concatenate([each.columns for each in counted]),
        truth_px=np.concatenate([_truth_px(each.levels_px) for each in counted]),
        patient_ids=np.concatenate([each.patient_ids for each in counted]),
        folds=np.concatenate([each.folds for each in counted]),
    )


class Cells(Protocol):
    """What a sweep asks of the cells of a grid."""

    grid: Grid
    images: Images

    def blocks(self) -> Iterator[tuple[Pixels, Pixels]]:
        """The pixels of the masks, and those in the truth, of some values of the first axis.

        Each is int64, N x these values x the other axes; the next block goes on from there.
        """

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """The same, N, of one cell."""


class CountCells:
    """The cells of pairs or triplets, from counts alone: no pixel is touched again."""

    def __init__(self, counted: Sequence[Counts], grid: Grid) -> None:
        self.grid = grid
        self.images = images(counted)
        self._levels_px = [each.levels_px for each in counted]

    def blocks(self) -> Iterator[tuple[Pixels, Pixels]]:
        """See `Cells`. Where a top threshold lies below the bottom one, the pixels mean nothing."""
        first, sizes, *bottoms = self.grid.axes.values()
        least = self.images.least_pixels(sizes, self.grid.size_px)[:, np.newaxis]
        low = self._reached(bottoms[0])[:, :, np.newaxis, np.newaxis] if bottoms else None
        step = max(1, _CELLS // prod(self.grid.shape[1:]))
        for start in range(0, len(first), _LEVELS):
            high = self._reached(first[start : start + _LEVELS])[..., np.newaxis]
            for place in range(0, high.shape[2], step):
                top = high[:, :, place : place + step]
                is_kept = top[:, 0] >= least
                if low is None:
                    yield top[:, 0] * is_kept, top[:, 1] * is_kept
                else:
                    kept = is_kept[..., np.newaxis]
                    yield low[:, 0] * kept, low[:, 1] * kept

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """See `Cells`."""
        cell = rule_of(self.grid.cell(index), self.grid.size_px)
        reached = self._reached((cell.top_threshold, cell.bottom_threshold))
        least = self.images.least_pixels((cell.area_px,), cell.size_px)[:, 0]
        is_kept = reached[:, 0, 0] >= least
        return reached[:, 0, 1] * is_kept, reached[:, 1, 1] * is_kept

    def _reached(self, thresholds: Sequence[float]) -> Pixels:
        """The pixels that reach each threshold, in all and in the truth: N x 2 x thresholds."""
        levels = [rule.level_of(threshold) for threshold in thresholds]
        distinct, places = np.unique(levels, return_inverse=True)
        parts = []
        for levels_px in self._levels_px:
            for first in range(0, len(levels_px), _IMAGES):
                block = levels_px[first : first + _IMAGES]
                between = np.add.reduceat(block, distinct, axis=2, dtype=np.int64)
                parts.append(between[..., ::-1].cumsum(axis=2)[..., ::-1][..., places])
        return np.concatenate(parts)


class ComponentCells:
    """The cells of rules that look at components, from one pass over the maps, which is kept."""

    def __init__(
        self, several: Sequence[Maps], counted: Sequence[Counts], grid: Grid, advance: Advance
    ) -> None:
        self.grid = grid
        self.images = images(counted)
        self._pixels = [
            _components_of(maps, grid, part_of(advance, len(maps) / len(self.images)))
            for maps in several
        ]

    def blocks(self) -> Iterator[tuple[Pixels, Pixels]]:
        """See `Cells`."""
        yield self._part((slice(None),))

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """See `Cells`."""
        return self._part(index)

    def _part(self, place: tuple[Any, ...]) -> tuple[Pixels, Pixels]:
        both = np.concatenate([each[:, :, *place] for each in self._pixels]).astype(np.int64)
        return both[:, 0], both[:, 1]


def of(several: Sequence[Maps], counted: Sequence[Counts], grid: Grid, advance: Advance) -> Cells:
    """The cells of a grid on maps with their counts; `advance` hears of what is done again."""
    if grid.kind == "components":
        return ComponentCells(several, counted, grid, advance)
    advance(1.0)
    return CountCells(counted, grid)


def part_of(advance: Advance, part: float) -> Advance:
    """What hears of a part of the work as a whole."""
    return lambda share: advance(share * part)


def _components_of(maps: Maps, grid: Grid, advance: Advance) -> Numbers:
    """The pixels of all and in the truth of each image: N x 2 x the axes of the grid."""
    fills, thresholds, sizes = grid.axes.values()
    levels_at = [rule.level_of(threshold) for threshold in thresholds]

    def count(position: int) -> Numbers:
        levels, truth = maps.levels(position), maps.truth(position)
        least = rule.least_pixels(sizes, grid.size_px, *levels.shape)
        counted = np.empty((2, *grid.shape), np.uint32)
        for i, is_filled in enumerate(fills):
            for j, level in enumerate(levels_at):
                mask = levels >= level
                areas, within = components.areas(
                    components.filled(mask) if is_filled else mask, truth
                )
                is_kept = areas[:, np.newaxis] >= least
                counted[0, i, j], counted[1, i, j] = areas @ is_kept, within @ is_kept
        return counted

    name = f"components-{provenance.short(provenance.fingerprint([repr(grid)]))}.npz"
    shape = (len(maps), 2, *grid.shape)
    return image_table.kept(maps.folder / name, counts.stamp(maps.folder), shape, count, advance)


def _truth_px(levels_px: Numbers) -> Pixels:
    parts = range(0, len(levels_px), _IMAGES)
    return np.concatenate(
        [levels_px[first : first + _IMAGES, 1].sum(axis=1, dtype=np.int64) for first in parts]
    )
