import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfptx.operating_point import score, submissions
from tfptx.scans import annotations, rle

SIDE = 7
masks = hnp.arrays(np.bool_, (SIDE, SIDE))


@settings(max_examples=200, deadline=None)
@given(st.lists(masks, max_size=3), st.lists(masks, max_size=3))
def test_runs_are_joined_and_compared_as_their_masks_are(some, others):
    drawn = [np.any([np.zeros((SIDE, SIDE), bool), *parts], axis=0) for parts in (some, others)]
    runs = [submissions.union([rle.to_runs(mask) for mask in parts]) for parts in (some, others)]
    for mask, (starts, lengths) in zip(drawn, runs, strict=True):
        expected_starts, expected_lengths = rle.to_runs(mask)
        np.testing.assert_array_equal(starts, expected_starts)
        np.testing.assert_array_equal(lengths, expected_lengths)
    assert submissions.overlap_px(*runs) == (drawn[0] & drawn[1]).sum()


def test_a_csv_is_scored_image_by_image(tmp_path):
    random = np.random.default_rng(0)
    truth = {f"i{i}": random.random((SIDE, SIDE)) < (0, 0.2, 0.8)[i % 3] for i in range(12)}
    predicted = {key: random.random((SIDE, SIDE)) < 0.3 * (i % 2) for i, key in enumerate(truth)}
    submissions.write(tmp_path / "truth.csv", [(k, rle.encode(m)) for k, m in truth.items()])
    rows = [(k, rle.encode(m)) for k, m in predicted.items()]
    submissions.write(tmp_path / "predictions.csv", [*rows[1:], ("alone", "-1")])
    found = submissions.score(tmp_path / "predictions.csv", tmp_path / "truth.csv", SIDE)
    expected = [score.dice(predicted[key], truth[key]) for key in list(truth)[1:]]
    assert found.figures["mean_dice"] == pytest.approx(np.mean(expected))
    assert found.all_empty["mean_dice"] == pytest.approx(3 / 11)
    assert (found.num_images, found.only_in_predictions, found.only_in_truth) == (11, 1, 1)


def test_what_is_written_is_read(tmp_path):
    submissions.write(tmp_path / "new" / "one.csv", [("a", "-1"), ("b", "1 2")])
    assert (tmp_path / "new" / "one.csv").read_text() == "ImageId,EncodedPixels\na,-1\nb,1 2\n"
    assert annotations.read(tmp_path / "new" / "one.csv").rles == {"a": [], "b": ["1 2"]}


def test_what_can_not_be_scored_is_named(tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    submissions.write(one, [("a", "40 20")])
    submissions.write(other, [("b", "-1")])
    with pytest.raises(ValueError, match="one has a, the other b"):
        submissions.score(one, other, SIDE)
    with pytest.raises(ValueError, match=r"one\.csv: a: .* past the 49"):
        submissions.score(one, one, SIDE)


@pytest.mark.parametrize(
    ("name", "mean_dice"),
    [
        ("se154_nf8_0.5_1000_0", 0.875640),
        ("sx50_nf8_0.5_1000_0", 0.872392),
        ("sx101_nf8_0.5_1000_1", 0.876559),
    ],
)
def test_published_predictions_score_what_is_known_of_them(real_data, name, mean_dice):
    predictions = real_data / "csv" / f"pred_stage1_n01z3_{name}.csv"
    found = submissions.score(predictions, real_data / "csv" / "train-rle.csv", 1024)
    assert round(found.figures["mean_dice"], 6) == mean_dice
    assert found.num_images == 1045
