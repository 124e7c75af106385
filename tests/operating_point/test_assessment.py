import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.operating_point import make_maps
from tfptx.operating_point import assessment, boundary, calibration, rule, score, sweep
from tfptx.operating_point.assessment import Options
from tfptx.operating_point.calibration import Events
from tfptx.operating_point.grid import AXES
from tfptx.operating_point.tables import Point

LEVELS, TRUTHS = make_maps.draw(6, [(9, 8), (8, 8), (12, 5)] * 6)
POINTS = {
    "pair": Point(threshold=0.6, min_pixels=20, size_px=8),
    "triplet": Point(top_threshold=0.9, area_px=5, bottom_threshold=0.5, size_px=8),
    "components": Point(threshold=0.7, fills_holes=True, min_component_px=4, size_px=8),
}


@pytest.fixture
def folders(tmp_path):
    ids = [f"j{number}" for number in range(9)]
    return [
        make_maps.write(tmp_path / "one", LEVELS[:9], TRUTHS[:9]),
        make_maps.write(tmp_path / "two", LEVELS[9:], TRUTHS[9:], ids, [1] * 9),
    ]


def assess(folders, point, **options):
    shares = []
    found = assessment.assess(folders, point, Options(**options), shares.append)
    assert sum(shares) == pytest.approx(1)
    return found


@pytest.mark.parametrize("name", POINTS)
def test_every_image_is_decided_as_its_rule_says(folders, name):
    point = POINTS[name]
    found = assess(folders, point).images
    masks = [rule.mask_of_levels(levels, point.rule) for levels in LEVELS]
    assert found["predicted_px"].tolist() == [int(mask.sum()) for mask in masks]
    assert found["truth_px"].tolist() == [int(truth.sum()) for truth in TRUTHS]
    dice = [score.dice(*pair) for pair in zip(masks, TRUTHS, strict=True)]
    np.testing.assert_allclose(found["dice"], dice, atol=1e-12)
    highest = [levels.max() / 10_000 for levels in LEVELS]
    assert found["image_score"].tolist() == pytest.approx(highest)


def test_the_figures_follow_from_the_images(folders):
    found = assess(folders, POINTS["pair"], prevalences=(0.05,))
    images, figures = found.images, found.figures
    is_positive, is_found = images["truth_px"] > 0, images["predicted_px"] > 0
    assert figures["mean_dice"].value == pytest.approx(images["dice"].mean())
    assert figures["ppv"].value == pytest.approx(is_positive[is_found].mean())
    auroc = roc_auc_score(is_positive, images["image_score"])
    assert figures["auroc"].value == pytest.approx(auroc)
    assert set(figures) >= {"npv", "ppv_at_0.05", "npv_at_0.05", "average_precision", "hd95_mm"}
    assert found.all_empty["mean_dice"] == pytest.approx((~is_positive).mean())
    assert found.num_patients == 18
    assert found.chosen_on_these_maps is None


def test_calibration_is_that_of_every_pixel(folders):
    found = assess(folders, POINTS["pair"])
    probability = np.concatenate([levels.ravel() for levels in LEVELS]) / 10_000
    truth = np.concatenate([each.ravel() for each in TRUTHS]).astype(float)
    naive = calibration.figures(Events(probability, np.ones_like(truth), truth))
    row = found.calibration.query("kind == 'pixel' and method == 'as predicted'").iloc[0]
    for name, value in naive.items():
        assert row[name] == pytest.approx(value)
    assert set(found.calibration["kind"]) == {"pixel", "image"}
    assert found.reliability.query("kind == 'image'")["events"].sum() == 18


def test_outlines_are_measured_where_the_spacing_is_known(folders):
    index = (folders[0] / "index.csv").read_text().splitlines()
    header = index[0].split(",")
    rows = [line.split(",") for line in index[1:]]
    for row in rows:
        row[header.index("spacing_mm")] = "0.5"
    (folders[0] / "index.csv").write_text("\n".join(",".join(row) for row in [header, *rows]))
    point = POINTS["pair"]
    found = assess(folders, point)
    for position, (levels, truth) in enumerate(zip(LEVELS, TRUTHS, strict=True)):
        mask = rule.mask_of_levels(levels, point.rule)
        spacing_mm = 0.5 if position < 9 else np.nan
        expected = boundary.distances(mask, truth, spacing_mm)
        measured = found.images[list(expected._fields)].iloc[position].tolist()
        assert measured == pytest.approx(list(expected), nan_ok=True)
    assert found.num_outlines == found.images["hd95_mm"].notna().sum() > 0


def test_counts_without_maps_do_but_for_outlines(tmp_path, folders):
    alone = make_maps.write(tmp_path / "alone", LEVELS[:9], TRUTHS[:9], counts_only=True)
    found, whole = assess([alone], POINTS["pair"]), assess(folders[:1], POINTS["pair"])
    assert found.figures["mean_dice"] == whole.figures["mean_dice"]
    assert found.num_outlines == 0
    with pytest.raises(ValueError, match="without --counts-only"):
        assess([alone], POINTS["components"])


@pytest.mark.parametrize("kind", ["joint", "triplet", "components"])
def test_a_point_scores_on_its_maps_what_the_sweep_said(folders, kind):
    cell = POINTS[kind.replace("joint", "pair")].cell
    axes = {name: (cell[name],) for name in AXES[kind]}
    swept = sweep.run(kind, axes, folders, 8, lambda share: None)
    same = assess(folders[::-1], swept.point)
    assert {k: same.figures[k].value for k in swept.figures} == pytest.approx(swept.figures)
    assert same.all_empty == pytest.approx(swept.all_empty)
    assert same.chosen_on_these_maps is True
    assert assess(folders[:1], swept.point).chosen_on_these_maps is False


def test_points_are_compared_image_by_image(folders):
    pair, triplet = POINTS["pair"], POINTS["triplet"]
    found = assessment.assess(folders, pair, Options(), lambda share: None, [triplet, pair])
    other, same = found.differences
    dice = [assess(folders, point).images["dice"] for point in (pair, triplet)]
    assert other.mean_dice.value == pytest.approx((dice[0] - dice[1]).mean())
    assert other.mean_dice.low < other.mean_dice.value < other.mean_dice.high
    assert (other.one, other.other) == (pair.label, triplet.label)
    assert (same.mean_dice.low, same.mean_dice.high, same.permutation_p) == (0, 0, 1)
