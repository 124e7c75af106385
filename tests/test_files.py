import errno
import fcntl
import json
import math
import os
import time

import pytest

from tfptx import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_bytes_are_on_the_disk_before_they_have_their_name(tmp_path, monkeypatch):
    flushed, sync = [], os.fsync

    def note(handle):
        flushed.append((os.fstat(handle).st_size, (tmp_path / "result.txt").exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", note)
    files.write_text(tmp_path / "result.txt", "whole")
    assert flushed == [(5, False)]


def test_a_folder_is_replaced_whole_or_stays(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(RuntimeError), files.writing_folder(folder) as temporary:
        (temporary / "new").touch()
        raise RuntimeError
    assert [path.name for path in folder.iterdir()] == ["old"]
    with files.writing_folder(folder) as temporary:
        (temporary / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_json_has_null_where_a_figure_is_not_known(tmp_path):
    path = tmp_path / "point.json"
    files.write_json(path, {"schema": 1, "dice": math.nan, "cells": [{"low": math.nan}, (0.5,)]})
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {
        "schema": 1,
        "dice": None,
        "cells": [{"low": None}, [0.5]],
    }


def test_json_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "point.json"
    files.write_json(path, {"schema": 1, "threshold": 0.55})
    assert files.read_json(path, 1) == {"schema": 1, "threshold": 0.55}
    with pytest.raises(ValueError, match="schema 1, this version of tfptx reads 2"):
        files.read_json(path, 2)
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="schema None"):
        files.read_json(path, 1)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        files.read_json(path, 1)


def test_a_folder_that_a_killed_process_had_begun_is_removed_by_the_next(tmp_path):
    hour_ago = time.time() - 3600
    for name in (".writing-left", ".writing-young", ".writing-busy", "old"):
        (tmp_path / name / "deep").mkdir(parents=True)
        if name != ".writing-young":
            os.utime(tmp_path / name, (hour_ago, hour_ago))
    handle = os.open(tmp_path / ".writing-busy", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with files.writing_folder(tmp_path / "new"):
        pass
    os.close(handle)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [".writing-busy", ".writing-young", "new", "old"]


def test_a_folder_that_is_being_written_is_locked(tmp_path):
    with files.writing_folder(tmp_path / "out") as temporary:
        handle = os.open(temporary, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)


def test_what_was_begun_in_a_folder_of_ones_own_is_removed(tmp_path):
    (tmp_path / "state" / ".writing-a").mkdir(parents=True)
    for name in (".writing-b.h5", "best.h5", "state/kept"):
        (tmp_path / name).touch()
    files.remove_begun(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "best.h5",
        "state",
        "state/kept",
    ]


def test_a_folder_is_one_process_alone(tmp_path):
    with files.alone(tmp_path / "place", "taken"):
        with pytest.raises(ValueError, match="taken"), files.alone(tmp_path / "place", "taken"):
            pass
        (tmp_path / "place" / "made").touch()
    with files.alone(tmp_path / "place", "taken"):
        assert (tmp_path / "place" / "made").exists()


def test_where_nothing_can_be_locked_work_goes_on_with_a_warning(tmp_path, monkeypatch, caplog):
    """As on Lustre, which is often mounted so."""
    left = tmp_path / ".writing-left"
    left.mkdir()
    os.utime(left, (0, 0))

    def flock(handle, operation):
        raise OSError(errno.ENOSYS, "function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with files.alone(tmp_path / "place", "taken"):
        assert f"nothing can be locked in {tmp_path / 'place'}" in caplog.text
    with files.writing_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").is_dir()
    assert left.is_dir(), "another process may write to it"


def test_a_folder_is_put_in_place_of_another(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    files.put_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["new"]
