import itertools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.operating_point import make_maps
from tfptx.operating_point import (
    assessment,
    counts,
    grid,
    kinds,
    maps,
    rule,
    score,
    surface,
    sweep,
)
from tfptx.operating_point.cells import CountCells
from tfptx.operating_point.choice import Criterion
from tfptx.operating_point.grid import Grid

# Few distinct levels, so that pixels stand at and beside the thresholds.
levels_near = st.sampled_from([0, 1, 4999, 5000, 5001, 7500, 9999, 10_000])
some_thresholds = st.lists(
    st.sampled_from([0.0, 0.0001, 0.4999, 0.5, 0.5001, 0.75, 1.0]),
    min_size=1,
    max_size=4,
    unique=True,
).map(tuple)
some_pixels = st.lists(st.integers(0, 40), min_size=1, max_size=4, unique=True).map(tuple)
shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


@st.composite
def scored_maps(draw):
    shape = draw(shapes)
    levels = draw(hnp.arrays(np.uint16, shape, elements=levels_near))
    is_empty = draw(st.booleans())
    truth = np.zeros(shape, bool) if is_empty else draw(hnp.arrays(np.bool_, shape))
    return levels, truth, draw(st.sampled_from([np.float32(0), np.float32(0.5), np.float32(1)]))


@st.composite
def grids(draw):
    kind = draw(st.sampled_from(["joint", "triplet", "components", "presence"]))
    values = {
        "fills_holes": st.sampled_from([(False,), (True,)]),
        **dict.fromkeys(
            ("threshold", "top_threshold", "bottom_threshold", "min_presence"), some_thresholds
        ),
        **dict.fromkeys(("min_pixels", "area_px", "min_component_px"), some_pixels),
    }
    axes = {name: draw(values[name]) for name in grid.AXES[kind]}
    drawn = Grid(kind, axes, draw(st.integers(1, 9)))
    assume(drawn.possible.any())
    return drawn


def naive(images, cells):
    """The table by drawing every mask."""
    rows = []
    for values in itertools.product(*cells.axes.values()):
        cell = dict(zip(cells.axes, values, strict=True))
        if cell.get("top_threshold", 1) < cell.get("bottom_threshold", 0):
            continue
        decided = grid.rule_of(cell, cells.size_px)
        masks = [rule.mask_of_levels(levels, decided, said) for levels, _, said in images]
        truths = [truth for _, truth, _ in images]
        dice = np.array([score.dice(*pair) for pair in zip(masks, truths, strict=True)])
        is_positive = np.array([truth.any() for truth in truths])
        is_found = np.array([mask.any() for mask in masks])

        def mean(values):
            return np.mean(values) if len(values) else np.nan

        rows.append(
            [
                *values,
                mean(dice),
                mean(dice[is_positive]),
                mean(is_found[is_positive]),
                mean(~is_found[~is_positive]),
                mean(~is_found),
            ]
        )
    return pd.DataFrame(rows, columns=[*cells.axes, *score.FIGURES])


@settings(max_examples=80, deadline=None)
@given(st.lists(scored_maps(), min_size=1, max_size=5), grids(), st.integers(1, 4))
def test_every_cell_equals_the_naive_loop(images, grid_of_cells, first_part):
    parts = [part for part in (images[:first_part], images[first_part:]) if part]
    with tempfile.TemporaryDirectory() as folder:
        several = [
            maps.read(make_maps.write(Path(folder) / str(i), levels, truths, presences=said))
            for i, (levels, truths, said) in enumerate(zip(*part, strict=True) for part in parts)
        ]
        counted = [counts.of(each, lambda _: None) for each in several]
        found = kinds.cells(several, counted, grid_of_cells, lambda _: None)
        whole = surface.whole(found)
        expected = naive(images, grid_of_cells)
        for name in score.FIGURES:
            np.testing.assert_allclose(
                whole.figures[name][grid_of_cells.possible], expected[name], rtol=0, atol=1e-12
            )
        for index in np.argwhere(grid_of_cells.possible):
            predicted, overlap = found.at(tuple(index))
            decided = grid.rule_of(grid_of_cells.cell(tuple(index)), grid_of_cells.size_px)
            masks = [rule.mask_of_levels(levels, decided, said) for levels, _, said in images]
            assert predicted.tolist() == [int(mask.sum()) for mask in masks]
            assert overlap.tolist() == [
                int((mask & truth).sum()) for mask, (_, truth, _) in zip(masks, images, strict=True)
            ]


def test_blocks_join_to_all_levels_that_there_are(tmp_path):
    """A grid of every level is read in several parts, and its cells in many blocks."""
    levels, truths = make_maps.draw(2, [(6, 7), (5, 5)])
    counted = [counts.of(maps.read(make_maps.write(tmp_path / "m", levels, truths)), print)]
    all_thresholds = tuple(level / rule.LEVELS for level in range(rule.LEVELS + 1))
    found = surface.whole(CountCells(counted, grid.joint(all_thresholds, (0, 9), 8)))
    assert found.worth.shape == (rule.LEVELS + 1, 2)
    for level in (0, 1, 511, 512, 513, 5120, 9999, 10_000):
        few = surface.whole(CountCells(counted, grid.joint((level / rule.LEVELS,), (0, 9), 8)))
        for name in score.FIGURES:
            np.testing.assert_array_equal(found.figures[name][level], few.figures[name][0])


@pytest.fixture
def folders(tmp_path):
    shapes = [(8, 8)] * 6
    first, second = make_maps.draw(3, shapes), make_maps.draw(4, shapes)
    ids, folds = [f"other{i}" for i in range(6)], [1] * 6
    return [
        make_maps.write(tmp_path / "one", *first, runs=["b"], stage="2", flip=True),
        make_maps.write(tmp_path / "two", *second, ids, folds, runs=["a"], stage="2", flip=True),
    ]


AXES = {
    "joint": {"threshold": (0.3, 0.6), "min_pixels": (0, 5, 30)},
    "triplet": {
        "top_threshold": (0.3, 0.6),
        "area_px": (0, 5, 30),
        "bottom_threshold": (0.2, 0.4),
    },
    "components": {
        "fills_holes": (True,),
        "threshold": (0.3, 0.6),
        "min_component_px": (0, 5),
    },
    "presence": {"threshold": (0.3, 0.6), "min_pixels": (0, 5, 30), "min_presence": (0.0, 0.5)},
}


def assess(folders, point):
    return assessment.assess(folders, point, assessment.Options(num_resamples=100), lambda _: None)


def run(folders, size_px=None, kind="joint", **options):
    shares = []
    found = sweep.run(kind, AXES[kind], folders, size_px, shares.append, sweep.Options(**options))
    assert sum(shares) == pytest.approx(1)
    return found


def test_a_run_knows_what_it_was_made_of(folders):
    found = run(folders)
    point = found.point
    cell = found.results[(found.results[["threshold", "min_pixels"]] == point.cell).all(axis=1)]
    assert point.mean_dice == cell["mean_dice"].item() == found.figures["mean_dice"]
    assert (point.low, point.high) == (cell["low"].item(), cell["high"].item())
    assert point.low < point.mean_dice < point.high
    assert point.all_empty_dice == pytest.approx(4 / 12)
    assert (point.runs, point.stage, point.flip) == (("a", "b"), "2", True)
    assert (point.num_images, point.size_px) == (12, 8)
    assert [each["num_images"] for each in found.origin.sources] == [6, 6]
    assert run(folders, size_px=1024).point.size_px == 1024


def test_maps_that_are_not_square_and_alike_have_pixels_of_1024(tmp_path):
    levels, truths = make_maps.draw(0, [(8, 6), (8, 6)])
    assert run([make_maps.write(tmp_path / "maps", levels, truths)]).point.size_px == 1024


@pytest.mark.parametrize("kind", AXES)
def test_the_table_has_a_row_for_each_cell_that_is_a_rule(folders, kind):
    found = run(folders, kind=kind)
    drawn = [make_maps.draw(seed, [(8, 8)] * 6) for seed in (3, 4)]
    images = [
        image for each in drawn for image in zip(*each, make_maps.presences_of(6), strict=True)
    ]
    expected = naive(images, Grid(kind, AXES[kind], 8))
    pd.testing.assert_frame_equal(
        found.results[expected.columns.tolist()],
        expected,
        check_exact=False,
        rtol=0,
        atol=1e-12,
        check_dtype=False,
    )
    assert (found.results["low"] <= found.results["high"]).all()


@pytest.mark.parametrize("kind", AXES)
def test_the_table_says_which_cells_are_on_the_plateau_of_the_point(folders, kind):
    found = run(folders, kind=kind)
    results = found.results
    is_chosen = np.logical_and.reduce(
        [results[name] == value for name, value in found.point.cell.items()]
    )
    assert results["on_plateau"].dtype == bool
    assert results["on_plateau"][is_chosen].tolist() == [True]
    # The plateau is around the best cell.
    is_best = results["mean_dice"] >= results["mean_dice"].max() - 1e-12
    assert results["on_plateau"][is_best].any()


def test_a_point_is_judged_on_folds_that_it_was_not_chosen_on(folders):
    found = run(folders)
    assert found.choices["part"].tolist() == [0, 1]
    assert found.choices["num_images"].tolist() == [6, 6]
    dice = []
    for part, (kept_out, others) in enumerate([folders, folders[::-1]]):
        alone = run([others])
        row = found.choices.iloc[part]
        assert alone.point.cell == {name: row[name] for name in alone.point.cell}
        assert row["chosen_dice"] == pytest.approx(alone.point.mean_dice)
        judged = assess([kept_out], alone.point).images["dice"]
        assert row["judged_dice"] == pytest.approx(judged.mean())
        dice += judged.tolist()
    np.testing.assert_allclose(found.nested_dice, dice)
    assert found.point.nested_mean_dice == pytest.approx(np.mean(dice))
    assert found.point.optimism == pytest.approx(found.point.mean_dice - np.mean(dice))


def test_a_part_without_which_no_cell_is_allowed_leaves_the_nested_score_out(tmp_path):
    """The one negative that all cells alarm on is in fold 0, so without fold 1 none is allowed."""
    square = np.zeros((8, 8), bool)
    square[2:6, 2:6] = True
    positive, alarm, clear = 9000 * square, 9000 * square, 0 * square
    levels = [positive, alarm, positive, clear, clear, clear, clear]
    truths = [square, 0 * square, square, *[0 * square] * 4]
    folder = make_maps.write(tmp_path / "maps", levels, truths, folds=[0, 0, 1, 1, 1, 1, 1])
    axes = {"threshold": (0.3, 0.6), "min_pixels": (0, 5)}

    def run_with(min_specificity):
        options = sweep.Options(criterion=Criterion(min_specificity=min_specificity))
        return sweep.run("joint", axes, [folder], None, lambda _: None, options)

    found = run_with(0.75)
    assert found.figures["specificity"] == 0.8
    assert found.parts_without_choice == [1]
    assert found.choices["judged_dice"].isna().tolist() == [False, True]
    assert found.choices["threshold"].isna().tolist() == [False, True]
    assert found.nested_dice is None
    assert found.point.nested_mean_dice is None
    with pytest.raises(ValueError, match="no cell of the grid is a rule with"):
        run_with(0.9)


def test_a_sweep_can_be_refused_before_its_work(folders, monkeypatch):
    def refuse(origin):
        assert origin.grid.shape == (1, 2, 2)
        raise ValueError("another one stands there")

    monkeypatch.setattr(sweep.kinds, "cells", None)
    with pytest.raises(ValueError, match="another one stands there"):
        sweep.run("components", AXES["components"], folders, None, print, check=refuse)


def test_the_test_share_judges_points_and_chooses_none(folders, tmp_path, monkeypatch):
    drawn = make_maps.draw(9, [(8, 8)] * 6)
    ids = [f"kept{i}" for i in range(6)]
    source = {"runs": ["a"], "stage": "2", "flip": True}
    test = make_maps.write(tmp_path / "test", *drawn, ids, [-1] * 6, **source)
    point = run(folders).point
    assert not assess([test], point).chosen_on_these_maps
    monkeypatch.setattr(counts, "of", None)
    with pytest.raises(ValueError, match="test: 6 of 6 images are of the test share, which judges"):
        run([*folders, test])


def test_a_grid_without_a_rule_is_refused_before_the_work(folders, monkeypatch):
    monkeypatch.setattr(counts, "of", None)
    axes = {"top_threshold": (0.1, 0.2), "area_px": (0,), "bottom_threshold": (0.5, 0.6)}
    with pytest.raises(ValueError, match=r"at most 0\.2, the bottom one at least 0\.5"):
        sweep.run("triplet", axes, folders, None, print)


def test_maps_are_fingerprinted_once(folders, monkeypatch):
    asked = []
    fingerprint = counts.fingerprint
    monkeypatch.setattr(
        counts, "fingerprint", lambda *pair: asked.append(pair) or fingerprint(*pair)
    )
    run(folders)
    assert len(asked) == 2


def test_maps_of_one_fold_are_parted_by_patient(tmp_path):
    levels, truths = make_maps.draw(5, [(8, 8)] * 20)
    folder = make_maps.write(tmp_path / "maps", levels, truths)
    found = run([folder])
    assert found.choices["num_images"].tolist() == [4] * 5
    assert found.point.nested_mean_dice is not None
    one = make_maps.write(tmp_path / "one", levels[:1], truths[:1])
    alone = run([one])
    assert alone.choices.empty
    assert alone.point.nested_mean_dice is None


def test_choosing_on_noise_looks_better_than_it_is(tmp_path):
    """On maps that say nothing of the truth, the nested score is the honest one."""
    random = np.random.default_rng(8)
    levels = [random.integers(0, 10_001, (4, 4)).astype(np.uint16) for _ in range(60)]
    truths = [random.random((4, 4)) < random.choice([0, 0.5]) for _ in range(60)]
    folder = make_maps.write(tmp_path / "maps", levels, truths)
    axes = {"threshold": tuple(t / 20 for t in range(1, 20)), "min_pixels": tuple(range(16))}
    found = sweep.run("joint", axes, [folder], None, lambda _: None)
    assert found.point.optimism > 0


def test_a_criterion_moves_the_choice(folders):
    sensitive = run(folders, criterion=Criterion(min_sensitivity=1.0))
    assert sensitive.figures["sensitivity"] == 1
    dear = run(folders, criterion=Criterion(cost_of_miss=1000.0))
    cheap = run(folders, criterion=Criterion(cost_of_miss=0.001))
    assert dear.figures["sensitivity"] > cheap.figures["sensitivity"]
    assert dear.figures["specificity"] < cheap.figures["specificity"]


def test_percentile_intervals_are_others(folders):
    assert run(folders, method="percentile").point.low != run(folders).point.low
    assert run(folders, seed=1).point.low != run(folders).point.low


def test_the_best_cell_is_that_of_the_table(folders):
    counted = [counts.of(maps.read(folder), lambda _: None) for folder in folders]
    cells_of = Grid("joint", AXES["joint"], 8)
    best = sweep.best(counted, cells_of)
    assert best["mean_dice"] == surface.whole(CountCells(counted, cells_of)).worth.max()
