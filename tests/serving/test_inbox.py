import os

import pytest

from tfptx.serving import inbox
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


def test_a_claim_is_taken_once_and_outlives_its_process(folder, tmp_path):
    (folder / "deep" / "line\nend").write_text("1")
    taken = inbox.claim(folder / "deep" / "line\nend", folder, tmp_path / "claimed")
    assert taken.source.read_text() == "1"
    assert taken.name == "deep/line\nend"
    assert inbox.claim(folder / "deep" / "line\nend", folder, tmp_path / "claimed") is None
    taken.note_attempts(2)
    (tmp_path / "claimed" / "begun").mkdir()
    (found,) = inbox.left_claims(tmp_path / "claimed")
    assert found == taken
    assert found.attempts == 2
    found.end()
    assert list((tmp_path / "claimed").iterdir()) == []


def test_a_file_is_moved_to_another_file_system_too(folder, tmp_path, monkeypatch):
    path, target = folder / "one", tmp_path / "target"
    path.write_text("1")
    replace = type(path).replace

    def across(self, to):
        if self == path:
            raise OSError(18, "Invalid cross-device link")
        return replace(self, to)

    monkeypatch.setattr(type(path), "replace", across)
    inbox.move(path, target)
    assert target.read_text() == "1"
    assert not path.exists()
