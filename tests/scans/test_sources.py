import os

import cv2
import numpy as np
import pytest

from tests.scans.make_dicom import write
from tfptx.scans import image_ids, sources


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    return path


def ids(folder):
    return [image_ids.of_file(path) for path in sources.find(folder)]


def test_dicom_files_are_known_by_their_content_too(tmp_path):
    for name in ("IM0001", "1.2.840.3", "b.dcm"):
        write(tmp_path / name)
    picture(tmp_path / "c.PNG")
    (tmp_path / "notes.txt").write_text("no scan")
    (tmp_path / "empty").touch()
    assert ids(tmp_path) == ["1.2.840.3", "IM0001", "b", "c"]
    assert sources.read(tmp_path / "1.2.840.3").image_id == "1.2.840.3"


def test_links_to_files_and_folders_are_followed_once(tmp_path):
    picture(tmp_path / "elsewhere" / "a.png")
    picture(tmp_path / "elsewhere" / "b.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "in")
    assert ids(tmp_path / "in") == ["a", "b"]


def test_a_link_to_nothing_is_told(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "gone.dcm").symlink_to(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"gone\.dcm is a link to nothing; repair it"):
        sources.find(tmp_path)


def test_a_folder_that_can_not_be_looked_into_is_told(tmp_path, monkeypatch):
    picture(tmp_path / "a.png")
    picture(tmp_path / "secret" / "b.png")
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="secret"):
        sources.find(tmp_path)


def test_two_files_of_one_id_are_refused(tmp_path):
    picture(tmp_path / "a" / "one.png")
    write(tmp_path / "one.dcm")
    with pytest.raises(ValueError, match="two files have the id one"):
        sources.find(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"), [("none", "no folder at"), ("empty", "holds no scan")]
)
def test_nothing_to_look_at_is_refused(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        sources.find(tmp_path / name)
