import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfptx.operating_point import submissions
from tfptx.scans import annotations, rle

SIDE = 7
masks = hnp.arrays(np.bool_, (SIDE, SIDE))


@settings(max_examples=200, deadline=None)
@given(st.lists(masks, max_size=3), st.lists(masks, max_size=3))
def test_runs_are_joined_and_compared_as_their_masks_are(some, others):
    drawn = [np.any([np.zeros((SIDE, SIDE), bool), *parts], axis=0) for parts in (some, others)]
    runs = [rle.union([rle.to_runs(mask) for mask in parts]) for parts in (some, others)]
    for mask, (starts, lengths) in zip(drawn, runs, strict=True):
        expected_starts, expected_lengths = rle.to_runs(mask)
        np.testing.assert_array_equal(starts, expected_starts)
        np.testing.assert_array_equal(lengths, expected_lengths)
    predicted, true = drawn
    expected = (predicted & true).sum(), predicted.sum(), true.sum()
    assert submissions.pixels(*runs) == expected


def test_what_is_written_is_read(tmp_path):
    submissions.write(tmp_path / "new" / "one.csv", [("a", "-1"), ("b", "1 2")])
    assert (tmp_path / "new" / "one.csv").read_text() == "ImageId,EncodedPixels\na,-1\nb,1 2\n"
    assert annotations.read(tmp_path / "new" / "one.csv").rles == {"a": [], "b": ["1 2"]}


def test_runs_past_the_image_are_named_with_their_file(tmp_path):
    path = tmp_path / "one.csv"
    submissions.write(path, [("a", "40 20")])
    with pytest.raises(ValueError, match=r"one\.csv: a: .* past the 49"):
        submissions.runs(annotations.read(path), "a", SIDE, path)
