import errno
import os

import numpy as np
import pytest

from tests.operating_point import make_maps
from tfptx.operating_point import map_writer

SHAPES = [(3, 5), (4, 4), (7, 2)]
LEVELS, TRUTHS = make_maps.draw(0, SHAPES)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (LEVELS[:1], "3 maps were announced, 1 came"),
        ([*LEVELS, LEVELS[0]], "image3 is one more"),
        ([LEVELS[1]], r"image0: the map is uint16 \(4, 4\)"),
        ([np.full((3, 5), 10_001, np.uint16)], "image0 has the level 10001"),
    ],
)
def test_other_maps_than_announced_leave_nothing(tmp_path, levels, message):
    row = {"patient_id": "p", "fold": 0, "truth_rle": ""}
    with (
        pytest.raises(ValueError, match=message),
        map_writer.writing(tmp_path / "m", SHAPES, {}) as writer,
    ):
        for i, each in enumerate(levels):
            writer.append({"image_id": f"image{i}", **row}, each, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the platform reserves no space")
def test_a_full_disk_is_an_error_before_the_first_map_and_leaves_nothing(tmp_path, monkeypatch):
    reserved = []

    def fail(descriptor, start, length):
        reserved.append((start, length, os.fstat(descriptor).st_size))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", fail)
    with (
        pytest.raises(OSError, match="No space left"),
        map_writer.writing(tmp_path / "m", SHAPES, {}),
    ):
        pytest.fail("the maps were begun")
    (start, length, size) = reserved[0]
    assert (start, length) == (0, size)
    assert size > 2 * sum(rows * columns for rows, columns in SHAPES)
    assert list(tmp_path.iterdir()) == []


def test_counts_alone_need_a_truth(tmp_path):
    with pytest.raises(ValueError, match="image1 has no truth, without which counts say nothing"):
        make_maps.write(tmp_path / "m", LEVELS, [TRUTHS[0], None, TRUTHS[2]], counts_only=True)
    assert not list(tmp_path.iterdir())


def test_maps_without_all_truths_have_no_counts(tmp_path):
    folder = make_maps.write(tmp_path / "m", LEVELS, [TRUTHS[0], None, TRUTHS[2]])
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.csv",
        "levels.npy",
        "maps.json",
        "previews",
    ]


def test_a_preview_is_not_written_elsewhere(tmp_path):
    levels, truths = make_maps.draw(0, [(8, 8)])
    with pytest.raises(ValueError, match="leads out of previews/"):
        make_maps.write(tmp_path / "maps", levels, truths, ["../../photo"])
    assert not list(tmp_path.rglob("*.jpg"))
    assert not (tmp_path / "maps").exists()
