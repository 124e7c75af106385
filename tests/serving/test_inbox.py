import os

import pytest

from tfptx.serving.inbox import Inbox


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    return tmp_path / "in"


def names(arrivals):
    return [path.name for path in arrivals.arrived()]


def test_a_file_has_arrived_when_it_stayed_as_it_is(folder):
    clock = Clock()
    arrivals = Inbox(folder, 2.0, clock)
    (folder / "deep" / "one").write_text("1")
    assert names(arrivals) == []
    clock.seconds = 1.9
    (folder / "two").write_text("2")
    assert names(arrivals) == []
    clock.seconds = 2.0
    assert names(arrivals) == ["one"]
    clock.seconds = 3.0
    (folder / "two").write_text("22")
    assert names(arrivals) == ["one"]
    clock.seconds = 4.9
    assert names(arrivals) == ["one"]
    clock.seconds = 5.0
    assert names(arrivals) == ["one", "two"]
    for name in ("deep/one", "two"):
        (folder / name).unlink()
    assert names(arrivals) == []
    assert arrivals.is_empty()


def test_what_is_unfinished_hidden_or_leads_elsewhere_is_left_alone(folder, tmp_path):
    (tmp_path / "secret").write_text("elsewhere")
    (folder / "link.dcm").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    for name in (".hidden", "scan.dcm.part", "scan.TMP", "deep/.x"):
        (folder / name).write_text("x")
    arrivals = Inbox(folder, 0.0)
    assert names(arrivals) == []
    assert arrivals.is_empty()


def test_a_file_that_changed_since_the_last_look_is_told_apart(folder):
    (folder / "one").write_text("1")
    arrivals = Inbox(folder, 0.0)
    assert not arrivals.is_as_seen(folder / "one")
    assert names(arrivals) == ["one"]
    assert arrivals.is_as_seen(folder / "one")
    (folder / "one").write_text("22")
    assert not arrivals.is_as_seen(folder / "one")
    assert names(arrivals) == ["one"]
    (folder / "one").unlink()
    assert not arrivals.is_as_seen(folder / "one")


def test_a_file_that_is_put_off_is_back_later(folder):
    clock = Clock()
    (folder / "one").write_text("1")
    arrivals = Inbox(folder, 0.0, clock)
    assert names(arrivals) == ["one"]
    arrivals.put_off(folder / "one", 60.0)
    assert names(arrivals) == []
    assert arrivals.is_empty()
    clock.seconds = 60.0
    assert names(arrivals) == ["one"]


def test_folders_that_were_empty_for_long_are_removed(folder):
    (folder / "old").mkdir()
    (folder / "used").mkdir()
    (folder / "used" / ".hidden").touch()
    for each in (folder / "old", folder / "used", folder):
        os.utime(each, (1, 1))
    assert names(Inbox(folder, 0.0)) == []
    assert sorted(path.name for path in folder.iterdir()) == ["deep", "used"]
    (folder / "deep").rmdir()
    (folder / "used" / ".hidden").unlink()
    (folder / "used").rmdir()
    os.utime(folder, (1, 1))
    assert names(Inbox(folder, 0.0)) == []
    assert folder.is_dir()
