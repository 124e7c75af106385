import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.operating_point import make_maps
from tfptx.operating_point import counts, maps, rule, score, sweep
from tfptx.operating_point.grid import Grid
from tfptx.operating_point.tables import Point

COLUMNS = ["threshold", "min_pixels", *score.FIGURES]
# Few distinct levels, so that pixels stand at and beside the thresholds.
levels_near = st.sampled_from([0, 1, 4999, 5000, 5001, 7500, 9999, 10_000])
thresholds = st.sampled_from([0.0, 0.0001, 0.4999, 0.5, 0.5001, 0.75, 1.0])
shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


@st.composite
def scored_maps(draw):
    shape = draw(shapes)
    levels = draw(hnp.arrays(np.uint16, shape, elements=levels_near))
    is_empty = draw(st.booleans())
    truth = np.zeros(shape, bool) if is_empty else draw(hnp.arrays(np.bool_, shape))
    return levels, truth


def naive(images, grid):
    """The table by drawing every mask."""
    rows = []
    for threshold in grid.thresholds:
        for min_pixels in grid.min_pixels:
            pair = rule.Pair(threshold, min_pixels, grid.size_px)
            masks = [rule.mask_of_levels(levels, pair) for levels, _ in images]
            truths = [truth for _, truth in images]
            dice = np.array([score.dice(*pair) for pair in zip(masks, truths, strict=True)])
            is_positive = np.array([truth.any() for truth in truths])
            is_found = np.array([mask.any() for mask in masks])

            def mean(values):
                return np.mean(values) if len(values) else np.nan

            rows.append(
                [
                    threshold,
                    min_pixels,
                    mean(dice),
                    mean(dice[is_positive]),
                    mean(is_found[is_positive]),
                    mean(~is_found[~is_positive]),
                    mean(~is_found),
                ]
            )
    return pd.DataFrame(rows, columns=COLUMNS)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(scored_maps(), min_size=1, max_size=5),
    st.lists(thresholds, min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 40), min_size=1, max_size=4, unique=True),
    st.integers(1, 9),
    st.integers(1, 4),
)
def test_every_cell_equals_the_naive_loop(images, cells, sizes, size_px, first_part):
    grid = Grid(tuple(cells), tuple(sizes), size_px)
    parts = [images[:first_part], images[first_part:]]
    with tempfile.TemporaryDirectory() as folder:
        counted = [
            counts.of(
                maps.read(make_maps.write(Path(folder) / str(i), *zip(*part, strict=True))),
                lambda _: None,
            )
            for i, part in enumerate(parts)
            if part
        ]
    found = sweep.table(counted, grid)
    pd.testing.assert_frame_equal(
        found, naive(images, grid), check_exact=False, rtol=0, atol=1e-12, check_dtype=False
    )
    empty = naive(
        [(np.zeros_like(levels), truth) for levels, truth in images], Grid((1.0,), (0,), 1)
    )
    assert sweep.all_empty(counted) == pytest.approx(empty.iloc[0, 2:].to_dict(), nan_ok=True)


def results(*rows):
    return pd.DataFrame([[*row, 0.0, 0.0, 0.0] for row in rows], columns=COLUMNS)


def cell(found):
    return found["threshold"], found["min_pixels"]


def test_the_best_mean_dice_is_chosen():
    assert cell(sweep.choose(results((0.1, 0, 0.8, 0.9), (0.2, 0, 0.9, 0.1)))) == (0.2, 0)


def test_a_tie_goes_to_the_dice_on_positives():
    table = results((0.1, 0, 0.9, 0.2), (0.2, 0, 0.9 - 1e-15, 0.3), (0.3, 0, 0.8, 1.0))
    assert cell(sweep.choose(table)) == (0.2, 0)


def test_a_full_tie_goes_to_the_middle_cell():
    flat = [(t, m, 0.9, np.nan) for t in (0.1, 0.2, 0.3) for m in (0, 10, 20, 30, 40)]
    assert cell(sweep.choose(results(*flat))) == (0.2, 20)
    assert cell(sweep.choose(results(*flat[:2]))) == (0.1, 0)


@pytest.fixture
def folders(tmp_path):
    shapes = [(8, 8)] * 6
    first, second = make_maps.draw(3, shapes), make_maps.draw(4, shapes)
    ids = [f"other{i}" for i in range(6)]
    return [
        make_maps.write(tmp_path / "one", *first, runs=["b"], stage="2", flip=True),
        make_maps.write(tmp_path / "two", *second, ids, runs=["a"], stage="2", flip=True),
    ]


def run(folders, size_px=None):
    shares = []
    found = sweep.run("joint", folders, (0.3, 0.6), (0, 5, 30), size_px, shares.append)
    assert sum(shares) == pytest.approx(1)
    return found


def test_a_run_knows_what_it_was_made_of(folders):
    found = run(folders)
    point = found.point
    best = found.results.loc[found.results["mean_dice"].idxmax()]
    assert (point.threshold, point.min_pixels) == (best["threshold"], best["min_pixels"])
    assert point.mean_dice == best["mean_dice"]
    assert point.all_empty_dice == pytest.approx(4 / 12)
    assert (point.runs, point.stage, point.flip) == (("a", "b"), "2", True)
    assert (point.num_images, point.size_px) == (12, 8)
    assert [each["num_images"] for each in found.sources] == [6, 6]
    assert run(folders, size_px=1024).point.size_px == 1024


def test_maps_that_are_not_square_and_alike_have_pixels_of_1024(tmp_path):
    levels, truths = make_maps.draw(0, [(8, 6), (8, 6)])
    assert run([make_maps.write(tmp_path / "maps", levels, truths)]).point.size_px == 1024


def test_a_point_scores_on_its_maps_what_the_sweep_said(folders):
    found = run(folders)
    same = sweep.evaluate(folders[::-1], found.point, lambda _: None)
    assert same.figures == pytest.approx(found.figures)
    assert same.all_empty == pytest.approx(found.all_empty)
    assert same.chosen_on_these_maps is True
    other = sweep.evaluate(folders[:1], found.point, lambda _: None)
    assert other.chosen_on_these_maps is False
    assert other.num_images == 6
    paper = Point(threshold=0.55, min_pixels=2000, size_px=1024)
    assert sweep.evaluate(folders, paper, lambda _: None).chosen_on_these_maps is None
