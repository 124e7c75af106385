import errno

import cv2
import numpy as np
import pytest

from tfptx.records.entry import examine
from tfptx.scans import annotations, rle, sources

SHAPE = 7, 9


@pytest.mark.parametrize("num_parts", [0, 1, 2, 5])
def test_a_union_of_runs_is_that_of_the_masks_drawn(num_parts):
    random = np.random.default_rng(num_parts)
    for share in (0.0, 0.02, 0.3, 0.9, 1.0):
        masks = random.random((num_parts, *SHAPE)) < share
        found = rle.union([rle.parse(rle.encode(mask), *SHAPE) for mask in masks])
        expected = rle.to_runs(masks.any(axis=0))
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == np.int64
            np.testing.assert_array_equal(ours, theirs)


def test_runs_that_touch_become_one():
    starts, lengths = rle.union([rle.parse("3 2 0 4 1 1", *SHAPE)])
    assert (starts.tolist(), lengths.tolist()) == ([3, 10], [6, 1])


def test_the_runs_of_real_masks_are_those_of_the_masks_drawn(real_data):
    annotated = annotations.read(real_data / "csv" / "train-rle.csv")
    drawn = [image_id for image_id, parts in annotated.rles.items() if parts][:300]
    assert max(len(annotated.rles[image_id]) for image_id in drawn) > 1
    for image_id in drawn:
        found = rle.union([rle.parse(text, 1024, 1024) for text in annotated.rles[image_id]])
        expected = rle.to_runs(annotated.mask(image_id, 1024, 1024))
        np.testing.assert_array_equal(found, expected)


def test_a_file_that_is_gone_is_no_reason_to_leave_it_out(tmp_path):
    for suffix in ("dcm", "png"):
        with pytest.raises(OSError, match=r"gone\.(dcm|png) was there.*no such file.*run the same"):
            examine(tmp_path / f"gone.{suffix}", None, None, None)


def test_a_file_that_may_not_be_read_is_left_out(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(sources, "read", refuse)
    assert "Permission denied" in examine(tmp_path / "secret.png", None, None, None)


def test_a_cut_file_is_left_out(tmp_path):
    path = tmp_path / "cut.jpg"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:100])
    assert examine(path, None, None, None) == ("damaged or cut JPEG: no marker at byte 102 of 100")
