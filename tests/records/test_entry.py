import errno

import cv2
import numpy as np
import pytest

from tfptx.records.entry import examine
from tfptx.scans import sources


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
