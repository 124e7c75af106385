import os

import cv2
import numpy as np
import pytest

from tests.scans.make_dicom import SHAPE, write
from tfptx.scans import dicom, intake
from tfptx.scans.intake import Left
from tfptx.scans.scan import Scan, pixels


def read(folder, take="frontal"):
    return {file.name: intake.read(file, take) for file in intake.find([folder])}


def test_what_a_file_is_its_content_tells(tmp_path):
    folder = tmp_path / "export"
    (folder / "deep" / "er").mkdir(parents=True)
    write(folder / "deep" / "IM000001")
    write(folder / "deep" / "er" / "1.2.840.17")
    write(folder / "lateral.dcm", ViewPosition="LL")
    cv2.imwrite(str(folder / "photo.png"), np.zeros(SHAPE, np.uint8))
    (folder / "photo.png").rename(folder / "picture.bin")
    (folder / "notes.txt").write_text("no scan")
    (folder / "empty").touch()
    (folder / "broken.dcm").write_bytes(b"no DICOM")
    (folder / "broken.jpg").write_bytes(b"no picture")
    cut = write(folder / "cut.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(cut[:400])
    found = read(folder)
    scans = {name: each.image_id for name, each in found.items() if isinstance(each, Scan)}
    assert scans == {
        "deep/IM000001": "IM000001",
        "deep/er/1.2.840.17": "1.2.840.17",
        "picture.bin": "picture.bin",
    }
    assert pixels(found["deep/IM000001"]).shape == SHAPE
    unlike = "neither DICOM, PNG nor JPEG by its first bytes"
    assert found["lateral.dcm"] == Left("view LL, not PA or AP", has_failed=False)
    assert found["notes.txt"] == found["empty"] == Left(unlike, has_failed=False)
    assert found["broken.jpg"] == Left(unlike, has_failed=True)
    assert found["broken.dcm"].has_failed
    assert "no DICOM file" in found["broken.dcm"].reason
    assert not isinstance(found["cut.dcm"], Scan)


def test_files_of_one_name_have_their_folders_in_their_ids(tmp_path):
    for name in ("a/1-1.dcm", "b/1-1.dcm", "b/other.dcm"):
        write(tmp_path / name)
    files = intake.find([tmp_path])
    assert [file.image_id for file in files] == ["a_1-1", "b_1-1", "other"]


def test_one_file_named_twice_is_one(tmp_path):
    path = write(tmp_path / "a" / "scan.dcm")
    (file,) = intake.find([path, tmp_path, tmp_path / "a"])
    assert file.image_id == "scan"


def test_a_thumbnail_beside_its_scan_has_its_suffix_in_its_id(tmp_path):
    for name in ("a/scan.dcm", "a/scan.png", "b/other.dcm"):
        write(tmp_path / name)
    files = intake.find([tmp_path])
    assert [file.image_id for file in files] == ["a_scan.dcm", "a_scan.png", "other"]


def test_two_files_of_one_id_are_refused(tmp_path):
    write(tmp_path / "a" / "scan.dcm")
    write(tmp_path / "b" / "scan.dcm")
    with pytest.raises(ValueError, match=r"two files have the id scan.dcm: .*; predict them apart"):
        intake.find([tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' -C calc'!A0.dcm",
        "line\nend.dcm",
        "back\\slash.dcm",
        "..dcm",
        "x" * 240 + ".dcm",
        b"not-\xff-utf8.dcm",
    ],
)
def test_any_name_gives_an_id_that_is_a_files_name(tmp_path, name):
    source = write(tmp_path / "scan").read_bytes()
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)  # noqa: PTH102 - a path of bytes
    with open(os.path.join(folder, os.fsencode(name)), "wb") as file:  # noqa: PTH118, PTH123
        file.write(source)
    (found,) = intake.find([tmp_path / "in"])
    made = tmp_path / f"{found.image_id}.png"
    assert made.parent == tmp_path
    made.write_bytes(found.image_id.encode())
    assert made.name.isprintable()
    assert isinstance(intake.read(found, "frontal"), Scan)


def test_a_file_that_may_not_be_read_is_left_and_its_reason_names_no_path(tmp_path, monkeypatch):
    (file,) = intake.find([write(tmp_path / "Doe^Jane.dcm")])

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(dicom, "read_header", refuse)
    assert intake.read(file, "frontal") == Left("permission denied", has_failed=True)


def test_a_storage_that_fails_is_no_reason_to_leave_a_file(tmp_path):
    (file,) = intake.find([write(tmp_path / "scan.dcm")])
    file.path.unlink()
    with pytest.raises(FileNotFoundError):
        intake.read(file, "frontal")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    write(tmp_path / "scan.dcm")
    assert list(read(tmp_path)) == ["scan.dcm"]


@pytest.mark.parametrize(("name", "message"), [("none", "no folder at"), ("empty", "holds no")])
def test_nothing_to_look_at_is_refused(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        intake.find([tmp_path / name])
