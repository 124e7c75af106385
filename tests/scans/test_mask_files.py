import pathlib
import tempfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfptx.scans import mask_files, rle

MASK = np.random.default_rng(0).random((6, 9)) < 0.4


def write(path, values):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), values)


@pytest.mark.parametrize(
    "values",
    [
        MASK.astype(np.uint8),
        MASK.astype(np.uint8) * 255,
        MASK.astype(np.uint16) * 65535,
        np.repeat(MASK[..., None].astype(np.uint8) * 255, 3, axis=2),
        np.dstack([MASK.astype(np.uint8) * 255] * 3 + [np.full(MASK.shape, 255, np.uint8)]),
    ],
)
def test_a_mask_is_what_is_not_0(tmp_path, values):
    write(tmp_path / "deep" / "1.2.3.png", values)
    masks = mask_files.find(tmp_path)
    assert set(masks.ids) == {"1.2.3"}
    np.testing.assert_array_equal(masks.mask("1.2.3", 6, 9), MASK)
    ((starts, lengths),) = masks.drawn("1.2.3", 6, 9)[0]
    np.testing.assert_array_equal(rle.from_runs(starts, lengths, 6, 9), MASK)
    assert masks.oddity("1.2.3", 3, 3) == ""


def test_an_id_is_the_name_without_suffixes(tmp_path):
    write(tmp_path / "a.dcm.png", MASK.astype(np.uint8))
    assert set(mask_files.find(tmp_path).ids) == {"a.dcm"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (MASK.astype(np.uint8) + (np.arange(9) > 6), "3 values from 0 to 2"),
        (np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3), "is in colour"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, values, reason):
    write(tmp_path / "a.png", values.astype(np.uint8))
    with pytest.raises(ValueError, match=f"a.png .*{reason}|a.png {reason}"):
        mask_files.find(tmp_path).mask("a", 6, 9)


def test_a_mask_of_another_size_is_told_apart(tmp_path):
    write(tmp_path / "a.png", MASK.astype(np.uint8))
    with pytest.raises(rle.OtherSizeError, match=r"a\.png is 6 x 9, not 9 x 6"):
        mask_files.find(tmp_path).drawn("a", 9, 6)


def test_a_cut_file_is_refused(tmp_path):
    write(tmp_path / "a.png", MASK.astype(np.uint8))
    path = tmp_path / "a.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"a\.png: damaged or cut"):
        mask_files.find(tmp_path).mask("a", 6, 9)


def test_a_folder_without_masks_or_with_an_id_twice_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds no mask"):
        mask_files.find(tmp_path)
    for name in ("one", "two"):
        write(tmp_path / name / "a.png", MASK.astype(np.uint8))
    with pytest.raises(ValueError, match=r"two masks have the id a: .*one.*two"):
        mask_files.find(tmp_path)


def test_masks_are_told_apart_by_their_files(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.png", MASK.astype(np.uint8))
    masks = mask_files.find(tmp_path)
    some = masks.narrowed(["b", "none"])
    assert set(some.ids) == {"b"}
    before = some.fingerprint
    write(tmp_path / "a.png", np.zeros_like(MASK, np.uint8))
    assert some.fingerprint == before
    write(tmp_path / "b.png", np.zeros((60, 90), np.uint8))
    assert some.fingerprint != before


GREYS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(GREYS)
def test_a_soft_mask_keeps_its_grey_and_is_inside_from_a_half_on(grey):
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder) / "a.png", grey)
        masks = mask_files.find(pathlib.Path(folder), are_soft=True)
        np.testing.assert_array_equal(masks.mask("a", *grey.shape), grey / 255 >= 0.5)
        content = masks.drawn("a", *grey.shape)[1]
    if set(np.unique(grey)) <= {0, 255}:
        assert content is None
    else:
        np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(content, np.uint8), -1), grey)


def test_soft_masks_stay_soft_when_narrowed_and_are_others_than_hard_ones(tmp_path):
    write(tmp_path / "a.png", np.full((6, 9), 127, np.uint8))
    soft, hard = mask_files.find(tmp_path, are_soft=True), mask_files.find(tmp_path)
    assert not soft.narrowed(["a"]).mask("a", 6, 9).any()
    assert hard.mask("a", 6, 9).all()
    assert hard.drawn("a", 6, 9)[1] is None
    assert soft.narrowed(["a"]).fingerprint != hard.narrowed(["a"]).fingerprint


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (MASK.astype(np.uint16) * 65535, "a.png has 16 bits; a soft mask has 8"),
        (np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3), "a.png is in colour"),
        (np.zeros((9, 6), np.uint8), "a.png is 9 x 6, not 6 x 9"),
    ],
)
def test_what_is_no_soft_mask_is_refused(tmp_path, values, reason):
    write(tmp_path / "a.png", values)
    masks = mask_files.find(tmp_path, are_soft=True)
    for refused in (masks.mask, masks.drawn):
        with pytest.raises(ValueError, match=reason):
            refused("a", 6, 9)
