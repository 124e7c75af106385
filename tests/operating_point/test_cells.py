import tracemalloc

import numpy as np
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import cells, counts, kinds, maps, surface
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid

SOME = tuple(level / 20 for level in range(20))
GRIDS = {
    "joint": Grid("joint", {"threshold": SOME, "min_pixels": (0, 5, 9)}, 8),
    "triplet": Grid(
        "triplet", {"top_threshold": SOME, "area_px": (0, 5), "bottom_threshold": SOME}, 8
    ),
    "components": Grid(
        "components",
        {"fills_holes": (False, True), "threshold": SOME, "min_component_px": (0, 3)},
        8,
    ),
    "presence": Grid(
        "presence", {"threshold": SOME, "min_pixels": (0, 5, 9), "min_presence": (0.0, 0.3, 1.0)}, 8
    ),
}


@pytest.mark.parametrize("kind", GRIDS)
def test_small_blocks_have_each_cell_once_and_as_it_is(tmp_path, monkeypatch, kind):
    opened = [maps.read(make_maps.write(tmp_path / "maps", *make_maps.draw(0, [(6, 7)] * 7)))]
    counted = [counts.of(each, lambda share: None) for each in opened]
    monkeypatch.setattr(cells, "_ELEMENTS", 7 * 11)
    monkeypatch.setattr(cells, "_REACHED", 7 * 6)
    grid = GRIDS[kind]
    found = kinds.cells(opened, counted, grid, lambda share: None)
    places = []
    for block in found.blocks():
        assert block.predicted.shape == block.overlap.shape == (7, len(block.places))
        assert len(block.places) <= 11
        for place, *pixels in zip(block.places, block.predicted.T, block.overlap.T, strict=True):
            index = np.unravel_index(place, grid.shape)
            if grid.possible[index]:
                np.testing.assert_array_equal(pixels, found.at(index))
        places += block.places.tolist()
    assert sorted(places) == list(range(len(grid)))


def test_memory_is_bounded_by_the_block_however_wide_the_inner_axes_are():
    count = 40
    levels_px = np.ones((count, 2, counts.NUM_BINS), np.uint32)
    sizes, nobody = np.full(count, 1024), np.arange(count).astype(str)
    unsaid = np.full(count, np.nan, np.float32)
    counted = [Counts(levels_px, sizes, sizes, nobody, 0 * sizes, unsaid)]
    every = tuple(level / 10_000 for level in range(4501))
    wide = {"top_threshold": (0.5,), "area_px": (0, 9), "bottom_threshold": every}
    tracemalloc.start()
    surface.whole(cells.CountCells(counted, Grid("triplet", wide, 1024)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All cells at once would take 40 x 9,002 x some 80 bytes.
    assert peak_bytes < 15e6


def test_the_kept_counts_of_components_are_those_of_their_grid(tmp_path):
    folder = make_maps.write(tmp_path / "maps", *make_maps.draw(0, [(6, 7)] * 2))
    opened = [maps.read(folder)]
    counted = [counts.of(opened[0], lambda share: None)]
    one = GRIDS["components"]
    other = Grid("components", one.axes, 9)
    for grid in (one, other, one):
        kinds.cells(opened, counted, grid, lambda share: None)
    assert len(list(folder.glob("components-*.npz"))) == 2
