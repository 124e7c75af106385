import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfptx.scans import annotations, rle

SMALL = 7, 9
masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


def encode_pixel_by_pixel(mask: np.ndarray) -> str:
    """The competition's code, written as its page describes it."""
    numbers, since_run, length = [], 0, 0
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if mask[row, column]:
                length += 1
            elif length:
                numbers += [since_run, length]
                since_run, length = 1, 0
            else:
                since_run += 1
    if length:
        numbers += [since_run, length]
    return " ".join(map(str, numbers)) or "-1"


@settings(max_examples=200, deadline=None)
@given(masks)
def test_codec_equals_the_pixel_loop_and_inverts(mask):
    text = rle.encode(mask)
    assert text == encode_pixel_by_pixel(mask)
    np.testing.assert_array_equal(rle.decode(text, *mask.shape), mask)
    assert rle.to_text(*rle.parse(text, *mask.shape)) == text


def test_hand_worked_mask_reaches_the_last_pixel():
    mask = np.array([[0, 1, 0], [1, 1, 1]], bool)
    assert rle.encode(mask) == "1 3 1 1"
    np.testing.assert_array_equal(rle.decode("1 3 1 1", 2, 3), mask)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 7", "past the"),
        ("1 2 3", "pairs"),
        ("one 2", "whole numbers"),
        ("0 0", "run 1 has the length 0"),
        ("-2 3", "run 1 starts at -2: it overlaps"),
        ("9223372036854775807 9223372036854775807", "past the"),
        ("", "pairs"),
    ],
)
def test_wrong_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        rle.decode(text, 2, 3)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="-0123456789 ", max_size=20))
def test_any_text_is_a_mask_or_refused(text):
    try:
        mask = rle.decode(text, 7, 5)
    except ValueError:
        return
    assert mask.shape == (7, 5)


def test_every_real_row_encodes_back_to_itself(real_data):
    table = pd.read_csv(real_data / "csv" / "train-rle.csv", dtype=str, skipinitialspace=True)
    texts = table.iloc[:, 1].str.strip()
    assert len(texts) == 9830
    for text in texts:
        assert text == rle.EMPTY or rle.encode(rle.decode(text, 1024, 1024)) == text


@pytest.mark.parametrize("num_parts", [0, 1, 2, 5])
def test_a_union_of_runs_is_that_of_the_masks_drawn(num_parts):
    random = np.random.default_rng(num_parts)
    for share in (0.0, 0.02, 0.3, 0.9, 1.0):
        masks = random.random((num_parts, *SMALL)) < share
        found = rle.union([rle.parse(rle.encode(mask), *SMALL) for mask in masks])
        expected = rle.to_runs(masks.any(axis=0))
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == np.int64
            np.testing.assert_array_equal(ours, theirs)


def test_runs_that_touch_become_one():
    starts, lengths = rle.union([rle.parse("3 2 0 4 1 1", *SMALL)])
    assert (starts.tolist(), lengths.tolist()) == ([3, 10], [6, 1])


def test_the_runs_of_real_masks_are_those_of_the_masks_drawn(real_data):
    annotated = annotations.read(real_data / "csv" / "train-rle.csv")
    drawn = [image_id for image_id, parts in annotated.rles.items() if parts][:300]
    assert max(len(annotated.rles[image_id]) for image_id in drawn) > 1
    for image_id in drawn:
        found = rle.union([rle.parse(text, 1024, 1024) for text in annotated.rles[image_id]])
        expected = rle.to_runs(annotated.mask(image_id, 1024, 1024))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("text", ["1_0 2", "+1 2", "\uff11 2", "1.0 2", "1,2", "0x1 2"])
def test_what_python_takes_as_a_number_is_none_here(text):
    with pytest.raises(ValueError, match="something else than whole numbers"):
        rle.parse(text, 20, 20)
