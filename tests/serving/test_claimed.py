import os

import pytest

from tfptx.serving import claimed


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    return tmp_path / "in"


def test_a_claim_is_taken_once_and_outlives_its_process(folder, tmp_path):
    (folder / "deep" / "line\nend").write_text("1")
    taken = claimed.claim(folder / "deep" / "line\nend", folder, tmp_path / "claimed")
    assert taken.source.read_text() == "1"
    assert taken.name == "deep/line\nend"
    assert claimed.claim(folder / "deep" / "line\nend", folder, tmp_path / "claimed") is None
    taken.note_begun()
    taken.note_begun()
    (tmp_path / "claimed" / "begun").mkdir()
    (found,) = claimed.left(tmp_path / "claimed")
    assert (found.folder, found.attempts) == (taken.folder, 1)
    found.note_faultless()
    (found,) = claimed.left(tmp_path / "claimed")
    assert found == taken
    found.end()
    assert list((tmp_path / "claimed").iterdir()) == []


def test_notes_that_were_lost_with_the_power_end_nothing(folder, tmp_path):
    (folder / "one").write_text("1")
    taken = claimed.claim(folder / "one", folder, tmp_path / "claimed")
    for name in ("attempts", "name.json"):
        (taken.folder / name).write_text("")
    (tmp_path / "claimed" / ".DS_Store").touch()
    (found,) = claimed.left(tmp_path / "claimed")
    assert found.attempts == claimed.MAX_ATTEMPTS - 1
    assert found.name == "unknown"


@pytest.mark.parametrize(
    ("number", "error"), [(13, claimed.ImmovableError), (30, claimed.ImmovableError), (5, OSError)]
)
def test_a_file_that_can_not_be_moved_stays(folder, tmp_path, monkeypatch, number, error):
    path = folder / "Doe^Jane"
    path.write_text("1")
    replace = type(path).replace

    def refuse(self, to):
        if self == path:
            raise OSError(number, os.strerror(number), str(self))
        return replace(self, to)

    monkeypatch.setattr(type(path), "replace", refuse)
    with pytest.raises(error) as raised:
        claimed.claim(path, folder, tmp_path / "claimed")
    assert path.read_text() == "1"
    assert list((tmp_path / "claimed").iterdir()) == []
    if error is claimed.ImmovableError:
        assert "Doe" not in str(raised.value)


def test_a_file_is_moved_to_another_file_system_too(folder, tmp_path, monkeypatch):
    path, target = folder / "one", tmp_path / "target"
    path.write_text("1")
    replace = type(path).replace

    def across(self, to):
        if self == path:
            raise OSError(18, "Invalid cross-device link")
        return replace(self, to)

    monkeypatch.setattr(type(path), "replace", across)
    claimed.move(path, target)
    assert target.read_text() == "1"
    assert not path.exists()
