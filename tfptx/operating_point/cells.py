"""This holds the pixels of every image in every cell of a grid, from which all figures follow."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol

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
# Images times thresholds of an axis, and images times cells of a block, that are in memory at a
# time. An element of a block takes some 80 bytes in all that is made of it.
_REACHED = 2**21
_ELEMENTS = 2**19
_CELLS = 512  # at most in a block: of few images their resamples would be many


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


class Block(NamedTuple):
    """Some C cells: their places in the flat grid, C, and the pixels of masks and in the truth.

    Both pixels are int64, N x C.
    """

    places: NDArray[np.intp]
    predicted: Pixels
    overlap: Pixels


class Cells(Protocol):
    """What a sweep asks of the cells of a grid."""

    grid: Grid
    images: Images

    def blocks(self) -> Iterator[Block]:
        """All cells once, some at a time."""

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """The pixels of the masks, and those in the truth, of one cell: N."""


class CountCells:
    """The cells of pairs or triplets, from counts alone: no pixel is touched again."""

    def __init__(self, counted: Sequence[Counts], grid: Grid) -> None:
        self.grid = grid
        self.images = images(counted)
        self._levels_px = [each.levels_px for each in counted]

    def blocks(self) -> Iterator[Block]:
        """See `Cells`. Where a top threshold lies below the bottom one, the pixels mean nothing."""
        first, sizes, *bottoms = self.grid.axes.values()
        least = self.images.least_pixels(sizes, self.grid.size_px)
        for tops in self._steps(first):
            high = self._reached(first[tops])
            if not bottoms:
                yield from self._blocks(least, high, high, (tops.start, 0))
            for lows in self._steps(*bottoms):
                low = self._reached(bottoms[0][lows])
                yield from self._blocks(least, high, low, (tops.start, 0, lows.start))

    def _blocks(
        self, least: Pixels, high: Pixels, low: Pixels, starts: tuple[int, ...]
    ) -> Iterator[Block]:
        """The cells of top and bottom thresholds with all sizes, whose first one is at `starts`."""
        shape = (high.shape[2], least.shape[1], low.shape[2])[: len(starts)]
        for part in _parts(prod(shape), len(self.images)):
            index = np.unravel_index(np.arange(part.start, part.stop), shape)
            is_kept = high[:, 0, index[0]] >= least[:, index[1]]
            bottom = index[2] if len(index) > 2 else index[0]
            places = [place + start for place, start in zip(index, starts, strict=True)]
            yield Block(
                np.ravel_multi_index(places, self.grid.shape),
                low[:, 0, bottom] * is_kept,
                low[:, 1, bottom] * is_kept,
            )

    def _steps(self, thresholds: Sequence[float] = ()) -> Iterator[slice]:
        """The thresholds whose pixels are found at a time."""
        step = max(1, _REACHED // len(self.images))
        for start in range(0, len(thresholds), step):
            yield slice(start, start + step)

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
        reached = np.empty((len(self.images), 2, len(levels)), np.int64)
        start = 0
        for levels_px in self._levels_px:
            for first in range(0, len(levels_px), _IMAGES):
                block = levels_px[first : first + _IMAGES]
                between = np.add.reduceat(block, distinct, axis=2, dtype=np.int64)
                up_to = between[..., ::-1].cumsum(axis=2)[..., ::-1]
                reached[start : start + len(block)] = up_to[..., places]
                start += len(block)
        return reached


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

    def blocks(self) -> Iterator[Block]:
        """See `Cells`."""
        flat = [each.reshape(len(each), 2, -1) for each in self._pixels]
        for part in _parts(len(self.grid), len(self.images)):
            both = np.concatenate([each[:, :, part] for each in flat]).astype(np.int64)
            yield Block(np.arange(part.start, part.stop), both[:, 0], both[:, 1])

    def at(self, index: Index) -> tuple[Pixels, Pixels]:
        """See `Cells`."""
        place: tuple[Any, ...] = (slice(None), slice(None), *index)
        both = np.concatenate([each[place] for each in self._pixels]).astype(np.int64)
        return both[:, 0], both[:, 1]


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

    shape = (len(maps), 2, *grid.shape)
    path = maps.folder / _name_of_table(grid)
    return image_table.kept(path, counts.stamp(maps.folder), shape, count, advance)


def _name_of_table(grid: Grid) -> str:
    """The file that a grid's counts of components are kept in, beside the maps: one a grid."""
    axes = {name: list(values) for name, values in grid.axes.items()}
    key = json.dumps({"kind": grid.kind, "axes": axes, "size_px": grid.size_px}, sort_keys=True)
    return f"components-{provenance.short(provenance.fingerprint([key]))}.npz"


def _parts(num_cells: int, num_images: int) -> Iterator[slice]:
    """The cells of each block."""
    step = min(_CELLS, max(1, _ELEMENTS // num_images))
    for start in range(0, num_cells, step):
        yield slice(start, min(start + step, num_cells))


def _truth_px(levels_px: Numbers) -> Pixels:
    parts = range(0, len(levels_px), _IMAGES)
    return np.concatenate(
        [levels_px[first : first + _IMAGES, 1].sum(axis=1, dtype=np.int64) for first in parts]
    )
