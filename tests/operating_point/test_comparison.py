import numpy as np
import pytest

from tfptx.operating_point import comparison, score, submissions
from tfptx.scans import annotations, rle

SIDE = 7


def draw(seed, share):
    random = np.random.default_rng(seed)
    return {f"i{i}": random.random((SIDE, SIDE)) < share(i) for i in range(12)}


TRUTH = draw(0, lambda i: (0, 0.2, 0.8)[i % 3])
ONE, OTHER = draw(1, lambda i: 0.3 * (i % 2)), draw(2, lambda i: 0.6 * (i % 3 == 2))


@pytest.fixture
def folder(tmp_path):
    for name, masks in (("truth", TRUTH), ("one", ONE), ("other", OTHER)):
        rows = [(key, rle.encode(mask)) for key, mask in masks.items()]
        submissions.write(tmp_path / f"{name}.csv", rows)
    return tmp_path


def dice(masks):
    return np.array([score.dice(masks[key], truth) for key, truth in TRUTH.items()])


def test_every_file_is_scored_image_by_image_and_in_pairs(folder):
    paths = [folder / "one.csv", folder / "other.csv"]
    found = comparison.compare(paths, folder / "truth.csv", SIDE)
    for scored, masks in zip(found.scored, (ONE, OTHER), strict=True):
        mean = scored.figures["mean_dice"]
        assert mean.value == pytest.approx(dice(masks).mean())
        assert mean.low < mean.value < mean.high
    (difference,) = found.differences
    assert (difference.one, difference.other) == tuple(map(str, paths))
    assert difference.mean_dice.value == pytest.approx((dice(ONE) - dice(OTHER)).mean())
    assert found.all_empty["mean_dice"] == pytest.approx(4 / 12)
    assert (found.num_images, found.num_patients) == (12, None)
    (same,) = comparison.compare([paths[0], paths[0]], folder / "truth.csv", SIDE).differences
    assert (same.mean_dice.low, same.mean_dice.high) == (0, 0)
    assert (same.permutation_p, same.mcnemar_p) == (1, 1)


def test_only_images_of_all_files_are_scored_and_the_rest_is_told(folder):
    rows = [(key, rle.encode(mask)) for key, mask in ONE.items()]
    submissions.write(folder / "one.csv", [*rows[1:], ("alone", "-1"), rows[1], ("i3", "-1")])
    found = comparison.compare([folder / "one.csv", folder / "other.csv"], folder / "truth.csv", 7)
    assert found.num_images == 11
    one, other = (scored.ids for scored in found.scored)
    assert (one.only_in_truth, one.only_in_predictions) == (("i0",), ("alone",))
    assert (one.repeated, one.contradictory) == (("i1", "i3"), ("i3",))
    assert vars(other) == dict.fromkeys(vars(other), ())


def test_the_rows_of_the_truth_are_looked_at_too(folder):
    rows = [(key, rle.encode(mask)) for key, mask in TRUTH.items()]
    submissions.write(folder / "truth.csv", [*rows, rows[4], ("i5", "-1")])
    found = comparison.compare([folder / "one.csv"], folder / "truth.csv", SIDE)
    assert (found.truth_repeated, found.truth_contradictory) == (("i4", "i5"), ("i5",))
    assert vars(found.scored[0].ids) == dict.fromkeys(vars(found.scored[0].ids), ())


def test_patients_are_drawn_where_they_are_named(folder):
    groups = folder / "groups.csv"
    groups.write_text("image_id,patient_id\n" + "".join(f"i{i},p{i // 4}\n" for i in range(12)))
    found = comparison.compare([folder / "one.csv"], folder / "truth.csv", SIDE, groups)
    assert found.num_patients == 3
    groups.write_text("image_id,patient_id\ni0,p\n")
    with pytest.raises(ValueError, match=r"no row of 11 of the 12 images, as i1; name every"):
        comparison.compare([folder / "one.csv"], folder / "truth.csv", SIDE, groups)


def test_files_without_a_common_image_are_named(tmp_path):
    submissions.write(tmp_path / "one.csv", [("a", "-1")])
    submissions.write(tmp_path / "truth.csv", [("b", "-1")])
    with pytest.raises(ValueError, match="they begin with b and a"):
        comparison.compare([tmp_path / "one.csv"], tmp_path / "truth.csv", SIDE)


SYSTEMS = {
    "se154_nf8_0.5_1000_0": 0.875640,
    "sx50_nf8_0.5_1000_0": 0.872392,
    "sx101_nf8_0.5_1000_1": 0.876559,
}


def test_published_predictions_score_what_is_known_of_them(real_data):
    folder = real_data / "csv"
    paths = [folder / f"pred_stage1_n01z3_{name}.csv" for name in SYSTEMS]
    found = comparison.compare(paths, folder / "train-rle.csv", 1024, folder / "siim_to_nih_id.csv")
    assert found.num_images == 1045
    means = [scored.figures["mean_dice"] for scored in found.scored]
    assert [round(mean.value, 6) for mean in means] == list(SYSTEMS.values())
    assert len(found.differences) == 3


def test_a_published_score_equals_that_of_drawn_masks(real_data):
    predicted = annotations.read(real_data / "csv" / "pred_stage1_n01z3_se154_nf8_0.5_1000_0.csv")
    truth = annotations.read(real_data / "csv" / "train-rle.csv")
    ids = [each for each in truth.rles if each in predicted.rles][:60]
    for image_id in ids:
        masks = [table.mask(image_id, 1024, 1024) for table in (predicted, truth)]
        runs = [submissions.runs(t, image_id, 1024, None) for t in (predicted, truth)]
        found = float(score.dice_of_counts(*submissions.pixels(*runs)))
        assert found == pytest.approx(score.dice(*masks), abs=1e-12)
